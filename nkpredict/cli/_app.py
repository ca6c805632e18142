"""Assemble the commands; every expected error becomes one sentence and exit code 2."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from nkpredict.cli import (
    _calibrate as calibrate,
)
from nkpredict.cli import (
    _compare as compare,
)
from nkpredict.cli import (
    _config as config,
)
from nkpredict.cli import (
    _demo as demo,
)
from nkpredict.cli import (
    _doctor as doctor,
)
from nkpredict.cli import (
    _evaluate as evaluate,
)
from nkpredict.cli import (
    _evidence as evidence,
)
from nkpredict.cli import (
    _explain as explain,
)
from nkpredict.cli import (
    _inspect as inspect,
)
from nkpredict.cli import (
    _models as models,
)
from nkpredict.cli import (
    _score as score,
)
from nkpredict.cli import (
    _signing as signing,
)
from nkpredict.cli import (
    _simulate as simulate,
)
from nkpredict.cli import (
    _train as train,
)
from nkpredict.cli import (
    _tune as tune,
)
from nkpredict.cli._log import LOGGER, log_to, warnings_on_stderr, without_passwords
from nkpredict.errors import FULL_OR_READ_ONLY, NKPredictError

_OBJECTS_BETWEEN_COLLECTIONS = 20_000

app = typer.Typer(
    name="nkpredict",
    help="Predict which blood cancers natural killer cells kill, and why.\n\n"
    "For research use only; not a medical device.",
    epilog="Begin with: nkpredict demo --out demo",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("train")(train.train)
app.command("calibrate")(calibrate.calibrate)
app.command("evaluate")(evaluate.evaluate)
app.command("inspect")(inspect.inspect)
app.command("score")(score.score)
app.command("explain")(explain.explain)
app.command("compare")(compare.compare)
app.add_typer(models.app, name="models")
models.app.command("sign")(signing.sign_model)
models.app.command("verify")(signing.verify_model)
app.add_typer(evidence.app, name="evidence")
app.add_typer(tune.app, name="tune")
app.command("simulate")(simulate.simulate)
app.command("doctor")(doctor.doctor)
app.add_typer(config.app, name="config")


def _version(asked: bool) -> None:
    if asked:
        from nkpredict import __version__

        typer.echo(f"nkpredict {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
    log_file: Annotated[
        Path | None,
        typer.Option("--log-file", metavar="FILE", help="Append what is done and said to a file."),
    ] = None,
) -> None:
    if log_file is not None:
        log_to(log_file)


def main() -> None:
    """Run the command line."""
    # a command is short and keeps nearly all it makes: looking for garbage 20 times as rarely
    # saves it a twentieth of its time
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    with warnings_on_stderr():
        try:
            app()
        except NKPredictError as error:
            _end(str(error))
        except OSError as error:
            if error.errno not in FULL_OR_READ_ONLY:
                raise
            place = f" {error.filename}" if error.filename else ""
            _end(f"Writing{place} failed ({error.strerror}). Make room.")


def _end(message: str) -> NoReturn:
    message = without_passwords(message)
    LOGGER.info("failed: %s", message)
    print(f"nkpredict: {message}", file=sys.stderr)
    sys.exit(2)
