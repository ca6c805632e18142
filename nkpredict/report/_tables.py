"""The tables of the report: what each shows, and its cells as text, number or link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import pandas as pd

from nkpredict.drugs import CONTRARY, HIT, REACHABLE
from nkpredict.figures import Scored, optional
from nkpredict.report import _formats as formats
from nkpredict.vocabulary import UNKNOWN, EvidenceReading, NKLiability

PAIRS_SHOWN = 200
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
LIABILITIES: dict[str, str] = {
    NKLiability.HELPS: "good",
    NKLiability.SPARES: "good",
    NKLiability.MIXED: "caution",
    NKLiability.HARMS: "caution",
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


def drug_table(scores: Scored) -> Table | None:
    """Return the drugs of the cohort, ranked; None when there are none."""
    drugs = optional(scores, "drugs")
    if drugs.empty:
        return None
    shown = drugs.head(PAIRS_SHOWN)
    columns: list[tuple[str, Column, Callable[[Any], Cell]]] = [
        ("rank", Column("Rank", True), whole),
        ("drug", Column("Drug", heads=True), text),
        ("nk_liability", _liabilities(shown), _liability),
        ("score", Column("Drug score", True), two_places),
        ("genes_hit", Column("Acts on"), _list),
        ("genes_reachable", Column("Antibody reaches"), _list),
        ("genes_contrary", Column("Warning: contrary on"), _warning_list),
        ("highest_phase", Column("Phase"), text),
        ("modality", Column("Kind", screen_only=True), text),
        ("approved_blood_cancers", Column("Approved in", roomy=True), text),
        ("nk_liability_source", Column("Source for NK cells", roomy=True), linked),
    ]
    ranks = shown.assign(rank=range(1, len(shown) + 1))
    return build_table("drug-table", "Ranked drugs", ranks, columns, len(drugs) - len(shown))


def target_table(scores: Scored) -> Table | None:
    """Return genes and drugs whose action fits; None when there are none."""
    return _pairs(scores, (HIT, REACHABLE), "target-table", "Druggable targets")


def contrary_table(scores: Scored) -> Table | None:
    """Return the warnings: drugs that act the contrary way; None when there are none."""
    return _pairs(scores, (CONTRARY,), "contrary-table", "Warnings")


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


def _pairs(scores: Scored, matches: Sequence[str], name: str, title: str) -> Table | None:
    pairs = optional(scores, "targets")
    if pairs.empty:
        return None
    fitting = pairs[pairs["match"].isin(matches)]
    if fitting.empty:
        return None
    if CONTRARY in matches:
        fitting = fitting.sort_values("rank_score", kind="stable")
    shown = fitting.head(PAIRS_SHOWN)
    columns: list[tuple[str, Column, Callable[[Any], Cell]]] = [
        ("gene", Column("Gene", heads=True), text),
        ("drug", Column("Drug"), text),
        ("nk_liability", _liabilities(shown), _liability),
        ("match", Column("Fit", choices=tuple(dict.fromkeys(shown["match"]))), _match),
        ("reason", Column("Why"), text),
        ("highest_phase", Column("Phase"), text),
        ("evidence_reading", Column("Screens"), reading),
        ("modality", Column("Kind", screen_only=True), text),
        ("nk_liability_source", Column("Source for NK cells", roomy=True), linked),
        ("source", Column("Source for the drug", roomy=True, screen_only=True), linked),
        ("note", Column("Note", roomy=True, screen_only=True), text),
    ]
    return build_table(name, title, shown, columns, len(fitting) - len(shown))


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


def _liability(value: object) -> Cell:
    words = UNKNOWN if is_absent(value) or not str(value) else str(value)
    return Cell((Piece(words),), words, f"chip {LIABILITIES.get(words, '')}".strip())


def _liabilities(table: pd.DataFrame) -> Column:
    return Column("NK liability", choices=tuple(dict.fromkeys(table["nk_liability"].astype(str))))


def _match(value: object) -> Cell:
    kind = {HIT: "chip good", REACHABLE: "chip", CONTRARY: "chip caution"}
    return Cell((Piece(str(value)),), str(value), kind.get(str(value), "chip"))


def _list(value: object) -> Cell:
    return text(str(value).replace("; ", ", ")) if not is_absent(value) else text("")


def _warning_list(value: object) -> Cell:
    cell = _list(value)
    return cell if cell.sort == "" else cell._replace(kind="chip caution wraps")


def is_absent(value: object) -> bool:
    """Whether there is no value, None or NaN."""
    return value is None or (isinstance(value, float) and value != value)
