"""The tables of the report: what each shows, and its cells as text, number or link."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from nkpredict.evidence import known_hits
from nkpredict.figures import WORDS, Scored
from nkpredict.report import _formats as formats
from nkpredict.vocabulary import UNKNOWN, GeneDirection

GENES_SHOWN = 100
_DOI = "https://doi.org/"
_LINKS = (
    (re.compile(r"10\.\d{4,9}/[^\s;]+"), f"{_DOI}{{}}"),
    (re.compile(r"NCT\d{8}"), "https://clinicaltrials.gov/study/{}"),
    (re.compile(r"PMC\d+"), "https://pmc.ncbi.nlm.nih.gov/articles/{}/"),
    (re.compile(r"(?<=PMID:)\d+"), "https://pubmed.ncbi.nlm.nih.gov/{}/"),
)
_UNDIRECTED = "direction unknown"
_READINGS = {
    "agrees": ("✓ agrees", "good"),
    "conflicts": ("✗ conflicts", "caution"),
    "unclear": ("? unclear", ""),
    "no screen": ("– no screen", ""),
    _UNDIRECTED: ("? direction unknown", ""),
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


def resistance_table(scores: Scored) -> Table | None:
    """Return the resistance genes; None when there are none."""
    genes = scores.resistance_genes
    if genes.empty:
        return None
    shown = genes.head(GENES_SHOWN)
    columns: list[tuple[str, Column, Callable[[Any], Cell]]] = [
        ("rank", Column("Rank", True), whole),
        ("gene", Column("Gene", heads=True), text),
        ("direction", Column("High expression"), _direction),
        ("evidence_reading", Column("Screens", choices=_readings(shown)), reading),
        ("score", Column("Resistance score", True), _number_like(shown, "score", signed=False)),
        (
            "mean_contribution",
            Column("Mean contribution", True),
            _number_like(shown, "mean_contribution"),
        ),
        ("samples_resisting", Column("Samples resisting", True), share),
        ("reference_percentile", Column("Expression percentile", True), whole),
        (
            "perturbation_change",
            Column("Virtual change", True),
            _number_like(shown, "perturbation_change"),
        ),
        ("selection_frequency", Column("Stability", True), two_places),
        ("driver_probability", Column("Driver probability", True), two_places),
        ("category", Column("Category"), text),
        ("evidence", Column("Screen evidence", True), _evidence),
    ]
    ranks = shown.assign(rank=range(1, len(shown) + 1))
    return build_table(
        "resistance-table", "Resistance genes", ranks, columns, len(genes) - len(shown)
    )


def evidence_table(scores: Scored) -> Table | None:
    """Return what published screens say about the resistance genes; None when nothing."""
    shown = scores.resistance_genes.head(GENES_SHOWN)
    hits = known_hits()
    hits = hits[hits["gene"].isin(shown["gene"])]
    # what has a direction is read first
    hits = hits.sort_values("direction", key=lambda column: column == UNKNOWN, kind="stable")
    known = set(hits["gene"]) | set(shown.loc[shown["evidence"].fillna(0) != 0, "gene"])
    shown = shown[shown["gene"].isin(known)]
    if shown.empty:
        return None
    # a screen that names the gene but gives it no side is no agreement, and not nothing
    undirected = (shown["evidence_reading"] == "no screen") & shown["gene"].isin(hits["gene"])
    shown = shown.assign(evidence_reading=shown["evidence_reading"].mask(undirected, _UNDIRECTED))
    published = {gene: _published(rows) for gene, rows in hits.groupby("gene", sort=False)}
    categories = hits.drop_duplicates("gene").set_index("gene")["category"]
    nothing = Cell((Piece("in the combined screens only"),), "")
    columns: list[tuple[str, Column, Callable[[Any], Cell]]] = [
        ("gene", Column("Gene", heads=True), text),
        ("direction", Column("Model: high expression"), _direction),
        ("evidence", Column("Screens, combined", True), _evidence),
        ("evidence_reading", Column("Screens", choices=_readings(shown)), reading),
        ("category", Column("Category"), text),
        (
            "published",
            Column("Published screens", roomy=True),
            lambda gene: published.get(gene, nothing),
        ),
    ]
    rows = shown.assign(
        category=shown["category"] if "category" in shown else shown["gene"].map(categories),
        published=shown["gene"],
    )
    return build_table("evidence-table", "Screen evidence", rows, columns)


def studies(scores: Scored) -> list[Piece]:
    """Return the published screens that name a resistance gene shown, with their DOI."""
    hits = known_hits()
    named = hits[hits["gene"].isin(scores.resistance_genes["gene"].head(GENES_SHOWN))]
    named = named.drop_duplicates("study").sort_values("study")
    return [_study(row) for row in named.to_dict("records")]


def text(value: object) -> Cell:
    """Return a cell of plain text; a dash when empty."""
    words = "" if is_absent(value) else str(value)
    return Cell((Piece(words or formats.NO_VALUE),), None if words else "")


def share(value: Any) -> Cell:
    """Return a cell with a share of 0 to 1."""
    return _number(formats.percent(value), value)


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


def _published(rows: pd.DataFrame) -> Cell:
    """Say who found which direction, then who named the gene without one."""
    pieces: list[Piece] = []
    for row in rows[rows["direction"] != UNKNOWN].to_dict("records"):
        how = ", ".join(
            (
                WORDS.get(row["perturbation"], "unknown perturbation"),
                row["effector"],
                row["target_line"],
            )
        )
        pieces += [Piece(f"{'; ' if pieces else ''}{row['direction']} ({how}), "), _study(row)]
    opening = f"{'; ' if pieces else ''}no direction given: "
    for row in rows[rows["direction"] == UNKNOWN].to_dict("records"):
        pieces += [Piece(opening), _study(row)]
        opening = ", "
    whole = "".join(
        f"{piece.text} (doi {piece.link.removeprefix(_DOI)})" if piece.link else piece.text
        for piece in pieces
    )
    return Cell(tuple(pieces), whole)


def _study(row: Mapping[Hashable, Any]) -> Piece:
    return Piece(row["study"], f"{_DOI}{row['doi']}" if row["doi"] else "")


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


def _number(words: str, value: Any) -> Cell:
    return Cell((Piece(words),), formats.plain(value))


def _number_like(table: pd.DataFrame, column: str, signed: bool = True) -> Callable[[Any], Cell]:
    places = formats.places_for(table[column]) if column in table else 3
    write = formats.signed if signed else formats.decimal
    return lambda value: _number(write(value, places), value)


def whole(value: Any) -> Cell:
    """Return a cell with a number without decimals."""
    return _number(formats.decimal(value, 0), value)


def two_places(value: Any) -> Cell:
    """Return a cell with a number of two decimals."""
    return _number(formats.decimal(value, 2), value)


def _evidence(value: Any) -> Cell:
    return _number(formats.signed(value, 2), value) if value else text("")


def _direction(value: object) -> Cell:
    kinds: dict[str, str] = {
        GeneDirection.PROTECTS: "direction lowers",
        GeneDirection.SENSITIZES: "direction raises",
    }
    return Cell((Piece(str(value)),), None, kinds.get(str(value), "direction neutral"))


def reading(value: object) -> Cell:
    """Return a cell that says whether screens agree."""
    words, kind = _READINGS.get(str(value), (str(value), ""))
    return Cell((Piece(words),), str(value), f"chip {kind}".strip())


def _readings(table: pd.DataFrame) -> tuple[str, ...]:
    return tuple(dict.fromkeys(table["evidence_reading"].astype(str)))


def is_absent(value: object) -> bool:
    """Whether there is no value, None or NaN."""
    return value is None or (isinstance(value, float) and value != value)
