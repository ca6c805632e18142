"""Scores as a notebook shows them: the verdict, then the ranking with its intervals."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nkpredict.registry import NOTICE
from nkpredict.scoring._folder import mark_of

if TYPE_CHECKING:
    from nkpredict.scoring._scores import Scores

_ALL_SHOWN = 15  # rows up to which a cohort is shown whole
_FIRST, _LAST = 10, 5  # of a longer one
_WIDTH, _HEIGHT = 180, 14  # of the strip, in pixels
_LEFT, _RIGHT = "text-align:left;", "text-align:right;"


def scores_html(scores: Scores) -> str:
    """Return a piece of HTML without style sheets or scripts, every name escaped."""
    parts = [_marks(scores), _verdict(scores), _summary(scores), _ranking(scores)]
    parts.append(f'<p style="opacity:.75;">{escape(NOTICE)}</p>')
    return f'<div style="max-width:60em;">{"".join(parts)}</div>'


def _marks(scores: Scores) -> str:
    mark = mark_of(scores)
    return f"<p><strong>{mark}</strong></p>" if mark else ""


def _verdict(scores: Scores) -> str:
    verdict = scores.provenance.verdict
    if verdict is None:
        return ""
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in verdict.reasons)
    return (
        f"<p><strong>Verdict: {escape(verdict.level)}.</strong> {escape(verdict.sentence)}</p>"
        f'<ul style="margin-top:0;">{reasons}</ul>'
    )


def _summary(scores: Scores) -> str:
    table, model = scores.table, scores.provenance.model
    domain = "reference" if model.knowledge_only else "training"
    inside = int(table["in_domain"].sum())
    return (
        f"<p>{len(table):,} samples with {escape(model.name or 'a model')}, {inside:,} of "
        f"them in the {domain} domain; genes of the model found: "
        f"{table['gene_coverage'].mean():.0%}. {model.score_word.capitalize()}: higher is killed "
        "more easily.</p>"
    )


def _ranking(scores: Scores) -> str:
    ranked = scores.table.sort_values("susceptibility", ascending=False, kind="stable")
    known = bool(np.isfinite(ranked["lower"]).any())
    lineage = scores.lineage
    shared, own = _flags(ranked)
    heads = [("", _RIGHT), ("sample", _LEFT)]
    heads += [("lineage", _LEFT)] if lineage is not None else []
    heads += [(scores.provenance.model.score_word, _RIGHT)]
    heads += [("90 % interval", _LEFT)] if known else []
    heads += [("", _LEFT), ("percentile", _RIGHT), ("flags", _LEFT)][: 3 if any(own) else 2]
    titles = "".join(f'<th style="{style}">{title}</th>' for title, style in heads)
    long = len(ranked) > _ALL_SHOWN
    places = np.arange(len(ranked))
    chosen = np.r_[places[:_FIRST], places[-_LAST:]] if long else places
    ends = ranked[["susceptibility", "lower", "upper"]].to_numpy(dtype=float)
    scale = float(np.nanmin(ends)), float(np.nanmax(ends))
    rows = []
    for place in chosen:
        if long and place == len(ranked) - _LAST:
            rows.append(
                f'<tr><td colspan="{len(heads)}" style="text-align:center;">'
                f"… {len(ranked) - _FIRST - _LAST:,} more …</td></tr>"
            )
        row = ranked.iloc[place]
        label = None if lineage is None else lineage.get(row.name, "")
        cells = [*_cells(int(place) + 1, row, label, known, scale), own[place]]
        styled = zip(cells, heads, strict=False)  # the flags are left out where there are none
        rows.append(
            "<tr>" + "".join(f'<td style="{s}">{cell}</td>' for cell, (_, s) in styled) + "</tr>"
        )
    table = f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f"<p>Flags of all samples: {shared}.</p>{table}" if shared else table


def _flags(ranked: pd.DataFrame) -> tuple[str, list[str]]:
    """Return the flags that all samples have, and those that each has beside them."""
    each = [[flag for flag in str(flags).split(";") if flag] for flags in ranked["flags"]]
    shared = [flag for flag in each[0] if all(flag in flags for flags in each)]
    own = [[flag for flag in flags if flag not in shared] for flags in each]
    return _in_words(shared), list(map(_in_words, own))


def _in_words(flags: list[str]) -> str:
    return escape(", ".join(flags).replace("_", " "))


def _cells(
    place: int, row: pd.Series, lineage: Any, known: bool, scale: tuple[float, float]
) -> Iterator[str]:
    yield str(place)
    yield f"<strong>{escape(str(row.name))}</strong>"
    if lineage is not None:
        yield "–" if pd.isna(lineage) else escape(str(lineage))
    yield f"{row['susceptibility']:.3f}"
    if known:
        finite = np.isfinite(row["lower"])
        yield f"{row['lower']:.3f} to {row['upper']:.3f}" if finite else "–"
    yield _strip(row, scale)
    yield "–" if np.isnan(row["percentile"]) else f"{row['percentile']:.0f}"


def _strip(row: pd.Series, scale: tuple[float, float]) -> str:
    """Draw a score, and its interval where there is one."""
    low, high = scale
    margin = _HEIGHT / 2

    def at(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(margin + share * (_WIDTH - 2 * margin), 1)

    middle = _HEIGHT / 2
    line = ""
    if np.isfinite(row["lower"]):
        line = (
            f'<line x1="{at(row["lower"])}" x2="{at(row["upper"])}" y1="{middle}" y2="{middle}" '
            'stroke="currentColor" stroke-width="1.5"/>'
        )
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" aria-hidden="true">{line}'
        f'<circle cx="{at(row["susceptibility"])}" cy="{middle}" r="4" fill="#0072b2"/></svg>'
    )
