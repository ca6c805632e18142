"""nkpredict calibrate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nkpredict.cli._console import JsonFile, Quiet, print_table, say, stages, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.configuration import Direction, RegistryLocation, Setting

if TYPE_CHECKING:
    from nkpredict.training import Calibration


@dataclass(frozen=True, kw_only=True)
class CalibrateSettings:
    """Which model, and the lines of the laboratory; see `nkpredict.calibrate`."""

    model: Annotated[
        str,
        Setting(
            "Registered model, the folder of a bundle, or screen-prior.", "NAME@ALIAS|NAME/N|DIR"
        ),
    ]
    own: Annotated[Path, Setting("Expression of 5 to 20 own lines: CSV, xlsx, h5ad, ...", "FILE")]
    name: Annotated[str, Setting("Name to register the calibrated model under.", "NAME")]
    response: Annotated[
        Path | None,
        Setting(
            "What was measured in them: PRISM viability file, or a table line,value (default: the "
            "column --target of the table of expression).",
            "FILE",
        ),
    ] = None
    target: Annotated[str | None, Setting("Column of the table with the response.", "COLUMN")] = (
        None
    )
    direction: Annotated[
        Direction | None,
        Setting("lower-is-sensitive or higher-is-sensitive, for a table.", "DIRECTION"),
    ] = None
    effector: Annotated[
        str | None,
        Setting(
            "NK cells of the laboratory, for screen-prior: primary NK (default), NK-92, KHYG-1, "
            "CAR-NK.",
            "CELLS",
        ),
    ] = None
    genetics: Annotated[
        Path | None, Setting("Mutations, for a model trained with them.", "FILE")
    ] = None
    drop_unmatched: Annotated[bool, Setting("Leave out responses without expression.")] = False
    registry: RegistryLocation = None


@with_options
def calibrate(
    settings: CalibrateSettings, json_file: JsonFile = None, quiet: Quiet = False
) -> None:
    """Shift and stretch a model to the response of a laboratory's own lines.

    Example:

        nkpredict calibrate --model nk-heme --own lines.csv --response prism.txt --name lab
    """
    from nkpredict.training import calibrate as run_calibration

    with stages(quiet) as progress:
        progress("calibrating", 0, 1)
        done = run_calibration(**vars(settings))
        progress("calibrating", 1, 1)
    write_json_file(
        json_file,
        {
            "registered": done.registered,
            "simulated": done.bundle.simulated,
            "calibration": done.facts.to_json(),
            "lines": done.lines.reset_index().to_dict("records"),
        },
    )
    if not quiet:
        _print(done)


def _print(done: Calibration) -> None:
    columns = ["line", "measured", "left out", "uncalibrated"]
    rows = [
        [str(line), *map(float, (row.measured, row.left_out, row.uncalibrated))]
        for line, row in done.lines.sort_values("measured", ascending=False).iterrows()
    ]
    mark = " (SIMULATED data)" if done.bundle.simulated else ""
    print_table(f"Own lines, measured and predicted{mark}", columns, rows)
    for sentence in done.sentences():
        say(sentence)
    say(f"Registered {done.registered}; use it with nkpredict score --model {done.registered}")
