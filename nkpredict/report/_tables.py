"""The tables of the report: what each shows, and its cells as text, number or link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pandas as pd

from nkpredict.report import _formats as formats
from nkpredict.vocabulary import EvidenceReading

DOI = "https://doi.org/"
_LINKS = (
    (re.compile(r"10\.\d{4,9}/[^\s;]+"), f"{DOI}{{}}"),
    (re.compile(r"NCT\d{8}"), "https://clinicaltrials.gov/study/{}"),
    (re.compile(r"PMC\d+"), "https://pmc.ncbi.nlm.nih.gov/articles/{}/"),
    (re.compile(r"(?<=PMID:)\d+"), "https://pubmed.ncbi.nlm.nih.gov/{}/"),
)
_READINGS: dict[str, tuple[str, str]] = {
    EvidenceReading.AGREES: ("✓ agrees", "good"),
    EvidenceReading.CONFLICTS: ("✗ conflicts", "caution"),
    EvidenceReading.CONFLICTS_BUILT_IN: ("✗ conflicts, though used in training", "caution"),
    EvidenceReading.UNCLEAR: ("? unclear", ""),
    EvidenceReading.NO_EVIDENCE: ("– no evidence", ""),
}


class Piece(NamedTuple):
    """A piece of text, and where it leads when it is a link."""

    text: str
    link: str = ""


class Cell(NamedTuple):
    """One cell: what is read, and the plain value to sort by and to download."""

    pieces: tuple[Piece, ...]
    sort: str | None = None
    kind: str = ""


class Column(NamedTuple):
    """Heading of a column.

    ``choices`` are offered as a filter, ``heads`` names the row, ``roomy`` holds long text,
    ``screen_only`` is left out in print.
    """

    label: str
    number: bool = False
    choices: tuple[str, ...] = ()
    heads: bool = False
    roomy: bool = False
    screen_only: bool = False


class Table(NamedTuple):
    """A table that can be sorted, filtered and downloaded; ``left_out`` rows are in the files."""

    name: str
    title: str
    columns: list[Column]
    rows: list[list[Cell]]
    left_out: int = 0
    place: str = ""


def text(value: object) -> Cell:
    """Return a cell of plain text; a dash when empty."""
    words = "" if is_absent(value) else str(value)
    return Cell((Piece(words or formats.NO_VALUE),), None if words else "")


def share(value: Any) -> Cell:
    """Return a cell with a share of 0 to 1."""
    return number(formats.percent(value), value)


def linked(value: object) -> Cell:
    """Return a cell in which DOIs, trials and articles lead to their pages."""
    if is_absent(value) or not str(value):
        return text("")
    return Cell(tuple(_linked_pieces(str(value))), str(value))


def build_table(
    name: str,
    title: str,
    rows: pd.DataFrame,
    columns: Iterable[tuple[str, Column, Callable[[Any], Cell]]],
    left_out: int = 0,
) -> Table:
    """Build the columns that are there; those the scores lack are left out."""
    shown = [(key, column, cell) for key, column, cell in columns if key in rows]
    cells = [[cell(value) for value in rows[key]] for key, _, cell in shown]
    return Table(
        name,
        title,
        [column for _, column, _ in shown],
        [list(row) for row in zip(*cells, strict=True)],
        left_out,
    )


def _linked_pieces(words: str) -> Iterable[Piece]:
    found = sorted(
        (match.start(), match.end(), form.format(match.group()))
        for pattern, form in _LINKS
        for match in pattern.finditer(words)
    )
    place = 0
    for start, end, link in found:
        if start < place:
            continue
        if start > place:
            yield Piece(words[place:start])
        yield Piece(words[start:end], link)
        place = end
    if place < len(words):
        yield Piece(words[place:])


def number(words: str, value: Any) -> Cell:
    """Return a cell with a number: how it is written, and its value."""
    return Cell((Piece(words),), formats.plain(value))


def number_like(table: pd.DataFrame, column: str, signed: bool = True) -> Callable[[Any], Cell]:
    """Return what writes numbers with the decimal places that a column needs."""
    places = formats.places_for(table[column]) if column in table else 3
    write = formats.signed if signed else formats.decimal
    return lambda value: number(write(value, places), value)


def whole(value: Any) -> Cell:
    """Return a cell with a number without decimals."""
    return number(formats.decimal(value, 0), value)


def two_places(value: Any) -> Cell:
    """Return a cell with a number of two decimals."""
    return number(formats.decimal(value, 2), value)


def reading(value: object) -> Cell:
    """Return a cell that says how the direction of a gene stands to evidence."""
    words, kind = _READINGS.get(str(value), (str(value), ""))
    return Cell((Piece(words),), str(value), f"chip {kind}".strip())


def is_absent(value: object) -> bool:
    """Whether there is no value, None or NaN."""
    return value is None or (isinstance(value, float) and value != value)
