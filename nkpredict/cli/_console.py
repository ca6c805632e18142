"""What commands show: progress on stderr, results on stdout, nothing when asked to be quiet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nkpredict.cli._log import LOGGER

if TYPE_CHECKING:
    from rich.console import JustifyMethod
    from rich.progress import TaskID

    from nkpredict.types import Progress

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
JsonFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Also write machine-readable results."),
]


@contextmanager
def stages(quiet: bool, time_left: bool = False) -> Iterator[Progress]:
    """Show one progress bar for each stage on stderr.

    Parameters
    ----------
    quiet
        Show nothing.
    time_left
        Also say how long a stage will take, where its steps are alike.

    Yields
    ------
    callable
        Takes (stage, steps done, steps in all).
    """
    logged: set[str] = set()

    def log(stage: str, done: int, total: int) -> None:
        if stage not in logged:
            logged.add(stage)
            LOGGER.info("%s", stage)

    if quiet:
        yield log
        return
    from rich import progress as bars
    from rich.console import Console

    console = Console(stderr=True)
    columns = (
        bars.TextColumn("{task.description:<12}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
        *((bars.TextColumn("left"), bars.TimeRemainingColumn()) if time_left else ()),
    )
    with bars.Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            log(stage, done, total)
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield report


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], widest: int | None = None
) -> None:
    """Print a table that fits the terminal; numbers are set to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        numeric = all(isinstance(row[number], int | float) for row in rows) and bool(rows)
        # Numbers stay whole; their headings break between words instead.
        heading = column.replace(" ", "\n") if numeric else column
        justify: JustifyMethod = "right" if numeric else "left"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=numeric)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console = Console()
    console.print(table, width=None if widest is None else min(widest, console.width))


def write_json_file(path: Path | None, content: Any) -> None:
    """Write machine-readable results when a file was asked for."""
    if path is not None:
        from nkpredict.io import write_json

        write_json(path, content)


def say(text: str, quiet: bool = False) -> None:
    """Print a sentence on stdout without interpreting markup."""
    LOGGER.info("%s", text)
    if not quiet:
        typer.echo(text)


def _cell(value: Any) -> str:
    from rich.markup import escape

    if isinstance(value, float):
        return "–" if value != value else f"{value:.3f}"
    return escape(str(value))
