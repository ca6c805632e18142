"""Assemble the commands; every expected error becomes one sentence and exit code 2."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

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
    _simulate as simulate,
)
from nkpredict.cli import (
    _train as train,
)
from nkpredict.cli._log import LOGGER, log_to, warnings_on_stderr, without_passwords
from nkpredict.errors import NKPredictError

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
app.add_typer(evidence.app, name="evidence")
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
    with warnings_on_stderr():
        try:
            app()
        except NKPredictError as error:
            message = without_passwords(str(error))
            LOGGER.info("failed: %s", message)
            print(f"nkpredict: {message}", file=sys.stderr)
            sys.exit(2)
