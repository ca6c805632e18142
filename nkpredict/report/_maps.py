"""What the page needs for its map of genes and its spread of lineages."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nkpredict.figures import (
    ALL_SAMPLES,
    Group,
    Scored,
    colour_limit,
    covariate_groups,
    covariates,
    gene_map,
    groups,
    lineages,
    printable,
    ranked,
    scatter_places,
)
from nkpredict.report._layout import Scale, scale_over
from nkpredict.types import IndexArray
from nkpredict.vocabulary import UNKNOWN

# Integers this far from 0 hold three digits of the largest contribution.
_STEPS = 1000
_COLUMNS = 1000  # of the map; more are thinner than a pixel
_POINTS = 300  # of a group; more would only paint its row full
# Nine colours that colour-blind readers tell apart: "muted" of P. Tol, SRON/EPS/TN/09-002 (2021).
_COLOURS = (
    "#88ccee",
    "#cc6677",
    "#ddcc77",
    "#117733",
    "#332288",
    "#aa4499",
    "#44aa99",
    "#999933",
    "#882255",
)
_OTHER_COLOUR = "#dddddd"


class SpreadRow(NamedTuple):
    """One group: places of its samples, and quantiles of cohort and reference."""

    name: str
    places: list[tuple[float, float]]
    cohort: int
    median: float | None
    reference: int
    quantiles: list[float]


class Run(NamedTuple):
    """Neighbouring samples of one colour."""

    start: int
    width: int
    colour: str


class CovariateBar(NamedTuple):
    """One covariate above the map: its colours from left to right, and what they stand for."""

    name: str
    samples: int
    runs: list[Run]
    legend: list[tuple[str, str]]


class Spread(NamedTuple):
    """The spread of predictions on one scale: all samples, by lineage, by each covariate."""

    parts: list[tuple[str, list[SpreadRow]]]
    scale: Scale
    with_reference: bool
    with_lineages: bool
    with_covariates: bool


def spread_rows(scores: Scored) -> Spread:
    """Return cohort and reference, together and by lineage, and the cohort by its covariates."""
    found = groups(scores)
    others = covariate_groups(scores)
    parts = {"": found[:1], "lineage": found[1:], **others}
    everything = [scores.base_value, *found[0].cohort]
    if len(found[0].reference):
        everything += list(np.percentile(found[0].reference, (1, 99)))
    scale = scale_over(everything)
    return Spread(
        [(name, [_row(group, scale) for group in part]) for name, part in parts.items() if part],
        scale,
        bool(len(found[0].reference)),
        len(found) > 1,
        bool(others),
    )


def gene_map_data(scores: Scored) -> dict[str, Any] | None:
    """Return the map of contributions as plain values; None when no gene contributes.

    Returns
    -------
    dict or None
        ``genes``, ``samples`` (by prediction, highest first; of more than 1,000 evenly spaced
        ones), ``ranks`` of these samples, ``values`` (one list a gene, integers), ``unit`` (what
        one step is worth) and ``limit`` (steps at which the colours end).
    """
    values = gene_map(scores)
    if values.empty:
        return None
    shown = _columns_shown(values.shape[1])
    values = values.iloc[:, shown]
    largest = float(np.abs(values.to_numpy()).max())
    unit = largest / _STEPS if largest > 0 else 1.0
    return {
        "genes": [printable(gene) for gene in values.index],
        "samples": [printable(name) for name in values.columns],
        "ranks": [int(place) + 1 for place in shown],
        "values": np.rint(values.to_numpy() / unit).astype(int).tolist(),
        "unit": float(f"{unit:.6g}"),
        "limit": max(round(colour_limit(values) / unit), 1),
    }


def covariate_bars(scores: Scored) -> list[CovariateBar]:
    """Return lineage and covariates of the samples in the order of the map of contributions."""
    order = ranked(scores).index
    lineage = lineages(scores)
    columns = {} if lineage is None else {"lineage": lineage}
    columns |= {str(name): column for name, column in covariates(scores).items()}
    shown = _columns_shown(len(order))
    return [_bar(name, column.loc[order].iloc[shown]) for name, column in columns.items()]


def _columns_shown(samples: int) -> IndexArray:
    return np.unique(np.linspace(0, samples - 1, min(samples, _COLUMNS)).round().astype(np.intp))


def _bar(name: str, labels: pd.Series) -> CovariateBar:
    sizes = labels.value_counts(sort=True)
    colours = dict(zip(map(str, sizes.index), _COLOURS, strict=False))
    known = [printable(label) if isinstance(label, str) else UNKNOWN for label in labels]
    runs: list[Run] = []
    for place, label in enumerate(known):
        colour = colours.get(label, _OTHER_COLOUR)
        if runs and runs[-1].colour == colour:
            runs[-1] = runs[-1]._replace(width=runs[-1].width + 1)
        else:
            runs.append(Run(place, 1, colour))
    legend = [(label, colour) for label, colour in colours.items() if label != UNKNOWN]
    if any(label not in colours for label in known):
        legend.append(("other or unknown", _OTHER_COLOUR))
    return CovariateBar(name, len(known), runs, legend)


def _row(group: Group, scale: Scale) -> SpreadRow:
    drawn = np.sort(group.cohort)
    if len(drawn) > _POINTS:
        drawn = np.quantile(drawn, np.linspace(0, 1, _POINTS))
    heights = 50 + 56 * scatter_places(len(drawn))
    some = len(group.reference) > 0
    quantiles = np.percentile(group.reference, (5, 25, 50, 75, 95)).tolist() if some else []
    return SpreadRow(
        "All samples" if group.name == ALL_SAMPLES else group.name,
        [
            (scale.at(value), round(float(height), 1))
            for value, height in zip(drawn, heights, strict=True)
        ],
        len(group.cohort),
        float(np.median(group.cohort)) if len(group.cohort) else None,
        len(group.reference),
        quantiles,
    )
