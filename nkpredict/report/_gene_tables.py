"""The tables of genes: what lowers the cohort, what separates its samples, and the evidence."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from nkpredict.evidence import known_experiments, known_hits
from nkpredict.figures import WORDS, Scored, optional
from nkpredict.report import _formats as formats
from nkpredict.report._tables import (
    DOI,
    Cell,
    Column,
    Piece,
    Table,
    build_table,
    number,
    number_like,
    reading,
    share,
    text,
    two_places,
    whole,
)
from nkpredict.vocabulary import UNKNOWN, EvidenceReading, GeneDirection

GENES_SHOWN = 40
EVIDENCE_SHOWN = 100
SUPPORTED = (
    EvidenceReading.AGREES,
    EvidenceReading.AGREES_BUILT_IN,
    EvidenceReading.TAKEN_OVER,
)
"""Readings under which an experiment with the gene itself supports the direction."""
_ORIGINS = ("evidence_lines", "evidence_effectors")
_UNDIRECTED = "direction unknown"
_DIRECTION_KIND: dict[str, str] = {
    GeneDirection.PROTECTS: "direction lowers",
    GeneDirection.SENSITIZES: "direction raises",
}
_Columns = list[tuple[str, Column, Callable[[Any], Cell]]]


def resistance_table(scores: Scored) -> Table | None:
    """Return the genes that clearly lower the cohort against the reference; None without any."""
    genes = clearly_lowering(scores)
    shown = genes.head(GENES_SHOWN)
    own: _Columns = [
        (
            "mean_contribution",
            Column("Mean contribution", True),
            number_like(shown, "mean_contribution"),
        ),
        (
            "standard_error",
            Column("Standard error", True),
            number_like(shown, "standard_error", signed=False),
        ),
        ("samples_resisting", Column("Samples resisting", True), share),
    ]
    title = "Genes against the reference"
    return _genes(scores, "resistance-table", title, genes, own)


def separating_table(scores: Scored) -> Table | None:
    """Return the genes that separate the samples of the cohort; None without any."""
    genes = optional(scores, "separating_genes")
    own: _Columns = [
        (name, Column(label, True), number_like(genes.head(GENES_SHOWN), name))
        for name, label in (
            ("mean_least_susceptible", "Mean, lowest third"),
            ("mean_others", "Mean, other samples"),
        )
    ]
    own.append(("share_of_difference", Column("Share of the difference", True), share))
    return _genes(scores, "separating-table", "Separating genes", genes, own)


def evidence_table(scores: Scored) -> Table | None:
    """Return what experiments say about the listed genes; None when nothing."""
    listed = _listed(scores)
    hits = _publications(listed["gene"])
    known = set(hits["gene"]) | set(listed.loc[listed["evidence"].fillna(0) != 0, "gene"])
    listed = listed[listed["gene"].isin(known)]
    if listed.empty:
        return None
    # a study that names the gene but gives it no side is no agreement, and not nothing
    bare = listed["evidence_reading"] == EvidenceReading.NO_EVIDENCE
    undirected = bare & listed["gene"].isin(hits["gene"])
    readings = listed["evidence_reading"].mask(undirected, _UNDIRECTED)
    published = _published(hits)
    nothing = Cell((Piece("in the combined screens only"),), "")
    shown = _without_unknown_origins(listed.head(EVIDENCE_SHOWN))
    shown = shown.assign(evidence_reading=readings, published=shown["gene"], high=_high(shown))
    columns: _Columns = [
        ("gene", Column("Gene", heads=True), text),
        ("high", Column("High expression"), _direction),
        ("evidence", Column("Combined evidence", True), _evidence),
        ("evidence_reading", Column("Evidence", choices=_readings(shown)), reading),
        ("evidence_lines", Column("Tumour line"), _list),
        ("evidence_effectors", Column("Killer cells"), _list),
        ("category", Column("Category"), text),
        (
            "published",
            Column("Published", roomy=True),
            lambda gene: published.get(gene, nothing),
        ),
    ]
    left_out = len(listed) - len(shown)
    return build_table("evidence-table", "Evidence", shown, columns, left_out)


def studies(scores: Scored) -> list[Piece]:
    """Return the published studies that name a listed gene, with their DOI."""
    named = _publications(_listed(scores)["gene"])
    named = named.drop_duplicates("study").sort_values("study")
    return [_study(row) for row in named.to_dict("records")]


def clearly_lowering(scores: Scored) -> pd.DataFrame:
    """Return the genes whose mean lies clearly below that of the reference.

    None when the samples are the whole reference: its mean is 0 but for rounding.
    """
    genes = scores.resistance_genes
    if is_whole_reference(scores):
        return genes.head(0)
    return genes[genes["clear"].astype(bool)] if "clear" in genes else genes


def is_whole_reference(scores: Scored) -> bool:
    """Whether the samples are all profiles that the model was made from, and no others."""
    own = scores.provenance.own_reference
    return own == len(scores.table) == len(optional(scores, "reference"))


def _genes(
    scores: Scored, name: str, title: str, genes: pd.DataFrame, own: _Columns
) -> Table | None:
    if genes.empty:
        return None
    shown = _without_unknown_origins(genes.head(GENES_SHOWN))
    shown = shown.assign(rank=range(1, len(shown) + 1), high=_high(shown))
    columns: _Columns = [
        ("rank", Column("Rank", True), whole),
        ("gene", Column("Gene", heads=True), text),
        ("high", Column("High expression"), _direction),
        ("evidence_reading", Column("Evidence", choices=_readings(shown)), reading),
        ("evidence_lines", Column("Tumour line"), _list),
        ("evidence_effectors", Column("Killer cells"), _list),
        *own,
        ("score", Column("Score", True), number_like(shown, "score", signed=False)),
        ("reference_percentile", Column("Expression percentile", True), whole),
        (
            "perturbation_change",
            Column("Virtual change", True),
            number_like(shown, "perturbation_change"),
        ),
        ("selection_frequency", Column("Stability", True), two_places),
        ("driver_probability", Column("Driver probability", True), two_places),
        ("category", Column("Category"), text),
        ("evidence", Column("Combined evidence", True), _evidence),
    ]
    return build_table(name, title, shown, columns, len(genes) - len(shown))


def _listed(scores: Scored) -> pd.DataFrame:
    """Genes shown in either table and all others of the lists that have evidence, these first."""
    lists = (clearly_lowering(scores), optional(scores, "separating_genes"))
    shown = [genes.head(GENES_SHOWN) for genes in lists if len(genes)]
    rest = [genes[genes["evidence"].fillna(0) != 0] for genes in lists if len(genes)]
    every = [*shown, *rest] or [scores.resistance_genes.head(0)]
    listed = pd.concat(every).drop_duplicates("gene")
    bare = listed["evidence"].fillna(0) == 0
    return pd.concat([listed[~bare], listed[bare]]).reset_index(drop=True)


def _without_unknown_origins(genes: pd.DataFrame) -> pd.DataFrame:
    """Leave out lines and killer cells where none is on record, as for screens of a user."""
    empty = [name for name in _ORIGINS if name in genes and not genes[name].any()]
    return genes.drop(columns=empty)


def _high(genes: pd.DataFrame) -> pd.Series:
    """Direction of each gene, and what high expression does in words its evidence allows."""
    pairs = zip(genes["direction"].astype(str), genes["evidence_reading"].astype(str), strict=True)
    told = [(side, _words(side, known)) for side, known in pairs]
    return pd.Series(told, index=genes.index, dtype=object)


def _words(side: str, known: str) -> str:
    if side not in _DIRECTION_KIND or known in SUPPORTED:
        return side
    return f"goes with {'resistance' if side == GeneDirection.PROTECTS else 'sensitivity'}"


def _direction(value: tuple[str, str]) -> Cell:
    side, words = value
    return Cell((Piece(words),), words, _DIRECTION_KIND.get(side, "direction neutral"))


def _evidence(value: Any) -> Cell:
    return number(formats.signed(value, 2), value) if value else text("")


def _list(value: object) -> Cell:
    return text(str(value).replace("; ", ", "))


def _readings(table: pd.DataFrame) -> tuple[str, ...]:
    return tuple(dict.fromkeys(table["evidence_reading"].astype(str)))


def _publications(genes: pd.Series) -> pd.DataFrame:
    """Experiments, then hits of screens, that name some genes; those with a direction first."""
    experiments = known_experiments()
    how = experiments["experiment"] + ", " + experiments["effector"] + ", " + experiments["model"]
    experiments["how"] = how
    hits = known_hits()
    done = hits["perturbation"].map(WORDS).fillna("unknown perturbation")
    hits["how"] = done + ", " + hits["effector"] + ", " + hits["target_line"]
    columns = ["gene", "direction", "how", "study", "doi"]
    both = pd.concat([experiments[columns], hits[columns]])
    both = both[both["gene"].isin(genes)].drop_duplicates(["gene", "direction", "study", "how"])
    return both.sort_values("direction", key=lambda side: side == UNKNOWN, kind="stable")


def _published(hits: pd.DataFrame) -> dict[str, Cell]:
    """Say of each gene who found which direction, then who named it without one."""
    pieces: dict[str, list[Piece]] = {}
    undirected: set[str] = set()
    for row in hits.to_dict("records"):  # those with a direction come first
        own = pieces.setdefault(row["gene"], [])
        opening = "; " if own else ""
        if row["direction"] != UNKNOWN:
            opening += f"{row['direction']} ({row['how']}), "
        elif row["gene"] in undirected:
            opening = ", "
        else:
            opening += "no direction given: "
            undirected.add(row["gene"])
        own += [Piece(opening), _study(row)]
    return {gene: Cell(tuple(own), _sentence(own)) for gene, own in pieces.items()}


def _sentence(pieces: Sequence[Piece]) -> str:
    return "".join(
        f"{piece.text} (doi {piece.link.removeprefix(DOI)})" if piece.link else piece.text
        for piece in pieces
    )


def _study(row: Mapping[Hashable, Any]) -> Piece:
    return Piece(row["study"], f"{DOI}{row['doi']}" if row["doi"] else "")
