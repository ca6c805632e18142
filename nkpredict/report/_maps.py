"""What the page needs for its map of genes and its spread of lineages."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nkpredict.figures import (
    ALL_SAMPLES,
    Group,
    Scored,
    colour_limit,
    gene_map,
    groups,
    printable,
    ranked,
    scatter_places,
)
from nkpredict.report._layout import Scale, scale_over

# Integers this far from 0 hold three digits of the largest contribution.
_STEPS = 1000


class SpreadRow(NamedTuple):
    """One lineage: places of its samples, and quantiles of cohort and reference."""

    name: str
    places: list[tuple[float, float]]
    cohort: int
    median: float | None
    reference: int
    quantiles: list[float]


class Spread(NamedTuple):
    """The spread of predictions by lineage, on one scale."""

    rows: list[SpreadRow]
    scale: Scale
    with_reference: bool
    with_lineages: bool


def spread_rows(scores: Scored) -> Spread:
    """Return cohort and reference, together and by lineage."""
    found = groups(scores)
    everything = [scores.base_value, *found[0].cohort]
    if len(found[0].reference):
        everything += list(np.percentile(found[0].reference, (1, 99)))
    scale = scale_over(everything)
    return Spread(
        [_row(group, scale) for group in found],
        scale,
        bool(len(found[0].reference)),
        len(found) > 1,
    )


def gene_map_data(scores: Scored) -> dict[str, Any] | None:
    """Return the map of contributions as plain values; None when no gene contributes.

    Returns
    -------
    dict or None
        ``genes``, ``samples`` (by prediction, highest first), ``scores`` of these samples,
        ``values`` (one list a gene, integers), ``unit`` (what one step is worth) and ``limit``
        (steps at which the colours end).
    """
    values = gene_map(scores)
    if values.empty:
        return None
    largest = float(np.abs(values.to_numpy()).max())
    unit = largest / _STEPS
    table = ranked(scores)
    return {
        "genes": [printable(gene) for gene in values.index],
        "samples": [printable(name) for name in values.columns],
        "scores": [
            round(value, 4) if np.isfinite(value) else None
            for value in map(float, table["susceptibility"])
        ],
        "values": np.rint(values.to_numpy() / unit).astype(int).tolist(),
        "unit": float(f"{unit:.6g}"),
        "limit": max(round(colour_limit(values) / unit), 1),
    }


def _row(group: Group, scale: Scale) -> SpreadRow:
    heights = 50 + 56 * scatter_places(len(group.cohort))
    some = len(group.reference) > 0
    quantiles = np.percentile(group.reference, (5, 25, 50, 75, 95)).tolist() if some else []
    return SpreadRow(
        "All samples" if group.name == ALL_SAMPLES else group.name,
        [
            (scale.at(value), round(float(height), 1))
            for value, height in zip(group.cohort, heights, strict=True)
        ],
        len(group.cohort),
        float(np.median(group.cohort)) if len(group.cohort) else None,
        len(group.reference),
        quantiles,
    )
