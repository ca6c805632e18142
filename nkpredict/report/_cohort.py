"""The first look at a cohort: its ranking as one figure, its axes, and a few sentences."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nkpredict.drugs import ABOVE
from nkpredict.figures import Scored, is_knowledge_only, optional, printable, score_word
from nkpredict.report._formats import decimal
from nkpredict.report._gene_tables import SUPPORTED, clearly_lowering, is_whole_reference
from nkpredict.report._genes_text import against_reference_words, mostly_outside
from nkpredict.report._layout import Scale, scale_over
from nkpredict.report._summary import drugs_words
from nkpredict.report._tables import Piece, Table

LEAST_FOR_FIGURE = 31
"""Samples from which on the ranking is drawn as one figure and its table is folded away."""
_POINTS = 600  # more would only paint the figure black
_NAMED = 5
_DRUGS_NAMED = 3


class Point(NamedTuple):
    """One sample of the figure: its rank, and places in per cent."""

    rank: int
    x: float
    y: float
    ends: tuple[float, float] | None
    inside: bool


class RankingFigure(NamedTuple):
    """All samples by rank; ``left_out`` are not drawn, for want of room."""

    points: list[Point]
    down: Scale
    base: float
    highest: str
    lowest: str
    left_out: int


class AxisRow(NamedTuple):
    """One axis of killing: quartiles of the cohort's percentiles among the reference."""

    name: str
    quartiles: tuple[float, float, float]


def ranking_figure(scores: Scored, table: pd.DataFrame) -> RankingFigure | None:
    """Return the ranking as points; None where the table itself shows it better."""
    if len(table) < LEAST_FOR_FIGURE:
        return None
    ends = [] if is_knowledge_only(scores) else ["lower", "upper"]
    values = table[["susceptibility", *ends]].to_numpy(dtype=float)
    down = scale_over([scores.base_value, *values.ravel()], left=94.0, right=5.0)
    shown = np.unique(np.linspace(0, len(table) - 1, min(len(table), _POINTS)).round().astype(int))
    across = Scale(0.0, len(table) - 1.0, (), left=6.0, right=99.0)
    points = [
        Point(
            int(place) + 1,
            across.at(float(place)),
            down.at(value),
            (down.at(rest[0]), down.at(rest[1]))
            if len(rest) and not np.isnan(rest).any()
            else None,
            bool(inside),
        )
        for place, (value, *rest), inside in zip(
            shown, values[shown], table["in_domain"].to_numpy()[shown], strict=True
        )
        if np.isfinite(value)
    ]
    highest, lowest = (
        f"{printable(table.index[end])} {decimal(table['susceptibility'].iloc[end])}"
        for end in (0, -1)
    )
    base = down.at(float(scores.base_value))
    return RankingFigure(points, down, base, highest, lowest, len(table) - len(shown))


def axis_rows(scores: Scored) -> list[AxisRow]:
    """Return where the cohort lies on each axis; empty for a model without axes."""
    axes = optional(scores, "axes")
    if axes.empty:
        return []
    by_axis = axes.groupby("axis", sort=False)["percentile"]
    rows = []
    for axis, part in by_axis:
        low, middle, high = map(float, part.quantile([0.25, 0.5, 0.75]))
        rows.append(AxisRow(str(axis)[:1].upper() + str(axis)[1:], (low, middle, high)))
    return rows


def gene_claims(scores: Scored, evidence: Table | None) -> list[Piece]:
    """Name the genes that lower the cohort most; those with evidence lead to its row."""
    if is_whole_reference(scores):
        return [Piece(against_reference_words(scores))]
    clear = clearly_lowering(scores)
    separating = optional(scores, "separating_genes")
    word = score_word(scores)
    reference = f"the average {'reference' if is_knowledge_only(scores) else 'training'} profile"
    places = _rows_of(evidence)
    if clear.empty:
        pieces = [Piece(against_reference_words(scores))]
    else:
        pieces = [
            Piece(f"Against {reference}, a lower {word} goes with "),
            *_genes(clear, places),
            Piece("."),
        ]
    if len(separating):
        opening = " The third of the samples with the lowest score differs from the others by "
        pieces += [Piece(opening), *_genes(separating, places), Piece(".")]
    if any("*" in piece.text for piece in pieces):
        pieces.append(Piece(" * An experiment with this gene itself supports its direction."))
    if len(clear) and mostly_outside(scores):
        pieces.append(Piece(" A shift between platforms alone can make the first list."))
    return pieces


def drug_claims(scores: Scored, drugs: Table | None) -> list[Piece]:
    """Name the first drugs and what they do to NK cells; each leads to its row."""
    table = optional(scores, "drugs")
    above = table[table["listed"] == ABOVE] if len(table) else table
    if above.empty:
        words = drugs_words(scores)
        return [Piece(words)] if words else []
    places = _rows_of(drugs)
    pieces = [Piece("First of the drugs that act on such genes, and their effect on NK cells: ")]
    named = above.head(_DRUGS_NAMED)
    for drug, liability in zip(named["drug"], named["nk_liability"], strict=True):
        if len(pieces) > 1:
            pieces.append(Piece(", "))
        pieces += [_linked(drug, places), Piece(f" ({liability})")]
    below = len(table) - len(above)
    rest = f"; {len(above):,} in all" + (f", {below:,} more below the line" if below else "")
    return [*pieces, Piece(f"{rest}. Hypotheses for the laboratory, no recommendation.")]


def _genes(table: pd.DataFrame, places: dict[str, str]) -> list[Piece]:
    named = table.head(_NAMED)
    pieces: list[Piece] = []
    for gene, reading in zip(named["gene"], named["evidence_reading"], strict=True):
        if pieces:
            pieces.append(Piece(", "))
        star = "*" if reading in SUPPORTED else ""
        pieces.append(_linked(gene, places, star))
    return pieces


def _linked(name: Any, places: dict[str, str], mark: str = "") -> Piece:
    return Piece(f"{name}{mark}", places.get(str(name), ""))


def _rows_of(table: Table | None) -> dict[str, str]:
    """Return the address of each row by the name that heads it."""
    if table is None:
        return {}
    heads = [column.heads for column in table.columns].index(True)
    return {
        "".join(piece.text for piece in row[heads].pieces): f"#{table.name}-row-{place}"
        for place, row in enumerate(table.rows, start=1)
    }
