"""nkpredict tune."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from nkpredict.cli._console import JsonFile, Quiet, print_table, say, write_json_file

app = typer.Typer(
    help="Look at tuning that several processes share.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.callback()
def _tune() -> None:
    """Keep the name of the one command."""


@app.command("status")
def show_status(
    storage: Annotated[
        str, typer.Option("--storage", metavar="URL", help="Database that the run was given.")
    ],
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Show studies, trials and workers of a storage.

    Example:

        nkpredict tune status --storage postgresql://nk@dbserver/tuning
    """
    from nkpredict.evaluate import study_status

    found = study_status(storage)
    write_json_file(json_file, [asdict(study) for study in found])
    if quiet:
        return
    if not found:
        say("No studies yet. Begin one with nkpredict train --trials N --storage URL.")
        return
    rows = [
        [
            study.name,
            f"{study.finished} of {study.trials}",
            study.running,
            study.lost,
            "" if study.best is None else f"{study.best:.4f}",
            ", ".join(study.workers),
        ]
        for study in found
    ]
    names = ["study", "trials finished", "running", "lost", "lowest error", "workers"]
    print_table("Shared tuning", names, rows)
