"""The tables of drugs in the report: above the line, below it, pairs that fit and warnings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from nkpredict.drugs import ABOVE, CONTRARY, HIT, REACHABLE
from nkpredict.figures import Scored, optional
from nkpredict.report._tables import (
    Cell,
    Column,
    Piece,
    Table,
    build_table,
    is_absent,
    linked,
    reading,
    text,
    two_places,
    whole,
)
from nkpredict.vocabulary import UNKNOWN, NKLiability

PAIRS_SHOWN = 200
LIABILITIES: dict[str, str] = {
    NKLiability.HELPS: "good",
    NKLiability.SPARES: "good",
    NKLiability.MIXED: "caution",
    NKLiability.HARMS: "caution",
}


def drug_table(scores: Scored) -> Table | None:
    """Return the drugs of the cohort above the line, ranked; None when there are none."""
    drugs = optional(scores, "drugs")
    if drugs.empty:
        return None
    return _drugs(drugs[drugs["listed"] == ABOVE], "drug-table", "Ranked drugs")


def below_table(scores: Scored) -> Table | None:
    """Return the drugs below the line and why they are there; None when there are none."""
    drugs = optional(scores, "drugs")
    if drugs.empty:
        return None
    return _drugs(drugs[drugs["listed"] != ABOVE], "below-table", "Below the line")


def target_table(scores: Scored) -> Table | None:
    """Return genes and drugs whose action fits; None when there are none."""
    return _pairs(scores, (HIT, REACHABLE), "target-table", "Druggable targets")


def contrary_table(scores: Scored) -> Table | None:
    """Return the warnings: drugs that act the contrary way; None when there are none."""
    return _pairs(scores, (CONTRARY,), "contrary-table", "Warnings")


def _drugs(drugs: pd.DataFrame, name: str, title: str) -> Table | None:
    if drugs.empty:
        return None
    shown = drugs.head(PAIRS_SHOWN)
    below = name == "below-table"
    columns: list[tuple[str, Column, Callable[[Any], Cell]]] = [
        ("rank", Column("Rank", True), whole),
        ("drug", Column("Drug", heads=True), text),
        ("nk_liability", _liabilities(shown), _liability),
        ("listed", Column("Why below"), _why_below),
        (
            "score_without_liability" if below else "score",
            Column("Score but for NK cells" if below else "Drug score", True),
            two_places,
        ),
        ("genes_hit", Column("Acts on"), _list),
        ("genes_reachable", Column("Antibody reaches"), _list),
        ("genes_contrary", Column("Warning: contrary on"), _warning_list),
        ("measured_with_nk_cells", Column("Tried with NK cells"), text),
        ("mechanism_class", Column("Class"), text),
        ("highest_phase", Column("Phase"), text),
        ("modality", Column("Kind", screen_only=True), text),
        ("approved_blood_cancers", Column("Approved in", roomy=True), text),
        ("nk_liability_source", Column("Source for NK cells", roomy=True), linked),
        (
            "measured_with_nk_cells_source",
            Column("Source for the trial with NK cells", roomy=True, screen_only=True),
            linked,
        ),
    ]
    if not below:
        columns = [column for column in columns if column[0] != "listed"]
    return build_table(name, title, shown, columns, len(drugs) - len(shown))


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
        ("listed", Column("Listed", choices=tuple(dict.fromkeys(shown["listed"]))), text),
        ("match", Column("Fit", choices=tuple(dict.fromkeys(shown["match"]))), _match),
        ("reason", Column("Why"), text),
        ("highest_phase", Column("Phase"), text),
        ("evidence_reading", Column("Screens"), reading),
        ("modality", Column("Kind", screen_only=True), text),
        ("measured_with_nk_cells", Column("Tried with NK cells"), text),
        ("nk_liability_source", Column("Source for NK cells", roomy=True), linked),
        ("source", Column("Source for the drug", roomy=True, screen_only=True), linked),
        ("note", Column("Note", roomy=True, screen_only=True), text),
    ]
    return build_table(name, title, shown, columns, len(fitting) - len(shown))


def _liability(value: object) -> Cell:
    words = UNKNOWN if is_absent(value) or not str(value) else str(value)
    return Cell((Piece(words),), words, f"chip {LIABILITIES.get(words, '')}".strip())


def _liabilities(table: pd.DataFrame) -> Column:
    return Column("NK liability", choices=tuple(dict.fromkeys(table["nk_liability"].astype(str))))


def _why_below(value: object) -> Cell:
    return text(str(value).removeprefix("below the line: "))


def _match(value: object) -> Cell:
    kind = {HIT: "chip good", REACHABLE: "chip", CONTRARY: "chip caution"}
    return Cell((Piece(str(value)),), str(value), kind.get(str(value), "chip"))


def _list(value: object) -> Cell:
    return text(str(value).replace("; ", ", ")) if not is_absent(value) else text("")


def _warning_list(value: object) -> Cell:
    cell = _list(value)
    return cell if cell.sort == "" else cell._replace(kind="chip caution wraps")
