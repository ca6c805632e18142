"""The axes of a score from published knowledge: one table, and facts on each sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from nkpredict.figures import Scored, optional
from nkpredict.report._facts import Fact
from nkpredict.report._formats import decimal, percent
from nkpredict.report._tables import Cell, Column, Table, build_table, text, whole

SAMPLES_SHOWN = 200


def axes_table(scores: Scored) -> Table | None:
    """Return the percentile of each sample on each axis; None for a model without axes."""
    axes = optional(scores, "axes")
    if axes.empty:
        return None
    wide = _wide(axes, "percentile")
    order = scores.table.sort_values("susceptibility", ascending=False, kind="stable").index
    shown = wide.loc[order.astype(str)].head(SAMPLES_SHOWN)
    columns: list[tuple[str, Column, Callable[[Any], Cell]]] = [
        ("sample", Column("Sample", heads=True), text),
        *((axis, Column(_title(axis), True), whole) for axis in wide.columns),
    ]
    return build_table("axes-table", "Axes", shown.reset_index(), columns, len(wide) - len(shown))


def axes_words(scores: Scored) -> str:
    """Say how much of each axis is read; empty for a model without axes."""
    axes = optional(scores, "axes")
    if axes.empty:
        return ""
    read = _wide(axes, "coverage").mean()
    parts = ", ".join(f"{axis} {percent(share)}" for axis, share in read.items())
    return f"Evidence read on each axis, on average: {parts}."


def axes_facts(scores: Scored) -> dict[str, list[Fact]]:
    """Return the percentile of each sample on each axis, one fact an axis."""
    axes = optional(scores, "axes")
    if axes.empty:
        return {}
    wide = _wide(axes, "percentile")
    names = [f"{_title(axis)}, percentile" for axis in wide.columns]
    return {
        str(sample): [Fact(name, decimal(value, 0)) for name, value in zip(names, row, strict=True)]
        for sample, row in zip(wide.index, wide.to_numpy(), strict=True)
    }


def _title(axis: str) -> str:
    return axis[0].upper() + axis[1:]


def _wide(axes: pd.DataFrame, value: str) -> pd.DataFrame:
    wide = axes.pivot_table(value, "sample", "axis")
    wide.index = wide.index.astype(str)
    return wide[list(dict.fromkeys(axes["axis"]))].rename_axis(columns=None)
