"""Groups of cells as bulk samples, and how surely their scores are known."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nkpredict.cells._plan import CellPlan
from nkpredict.cells._store import Store
from nkpredict.errors import name_some
from nkpredict.facts import GroupingFacts, ReadFacts
from nkpredict.features import Profiles
from nkpredict.io import record_facts, unlike_expression
from nkpredict.learn import GeneModel
from nkpredict.registry import Bundle
from nkpredict.scoring import Scores, score
from nkpredict.types import BoolArray, FloatArray

if TYPE_CHECKING:
    from anndata import AnnData

REPLICATES = 100
"""How often the cells of a group are drawn anew; set by hand."""
_THINNINGS = 10
_NORMAL = 1.645  # standard deviations that hold nine tenths of a normal distribution
FEW_CELLS = 30
"""Cells below which the interval of a group is too narrow; set by hand, see
docs/decisions/023."""
# A group is not ranked when cells and depth alone leave it so many standard deviations of the
# reference on either side; set by hand, see docs/decisions/023.
_WIDEST = 1.0


@dataclass(frozen=True)
class _Sureness:
    """How far cells and depth leave the score of a group open."""

    sampling_sd: float
    depth_shift: float

    @property
    def half_width(self) -> float:
        return float(np.hypot(_NORMAL * self.sampling_sd, self.depth_shift))


def score_groups(
    plan: CellPlan,
    store: Store,
    bundle: Bundle,
    totals: pd.DataFrame,
    force: bool,
    workers: int,
) -> tuple[Scores, GroupingFacts]:
    """Score the summed counts of each group as a bulk sample.

    Parameters
    ----------
    plan, store
        What was done, and the counts.
    bundle
        The model.
    totals
        One row a group that has cells: ``cells`` and ``umis``.
    force
        Score what would be refused.
    workers
        Threads; each group is drawn with a seed of its own, so that their number changes nothing.

    Returns
    -------
    scores : Scores
        One row a group. Beside the columns of every score: ``cells``, ``umis``, ``sampling_sd``
        (standard deviation of the score over cells drawn anew), ``depth_shift`` (change of the
        score when half of the UMIs are taken away), ``sampling_lower`` and ``sampling_upper`` (90 %
        interval of the group's own score from the two); ``lower`` and ``upper`` are widened by it.
    facts : GroupingFacts
    """
    present = plan.task.columns.present
    genes = pd.Index(bundle.model.feature_names_in_)

    def of_group(name: str) -> tuple[FloatArray, _Sureness]:
        parts = store.counts(plan.groups.index(name))
        return parts.sum(axis=0), _sureness(parts, bundle.model, present, name, plan.seed)

    with ThreadPoolExecutor(workers) as pool:
        sums, sureness = zip(*pool.map(of_group, totals.index), strict=True)
    adata = _pseudobulk(plan, np.array(sums)[:, present], genes[present], totals)
    scores = score(adata, bundle, force=force)
    return _with_sureness(scores, totals, sureness, plan)


def _pseudobulk(plan: CellPlan, sums: FloatArray, genes: pd.Index, totals: pd.DataFrame) -> AnnData:
    import anndata

    per_million = sums * (1e6 / totals["umis"].to_numpy())[:, None]
    values = np.log2(per_million + 1).astype(np.float32)
    adata = anndata.AnnData(values, totals.copy(), pd.DataFrame(index=genes))
    expression = replace(
        plan.facts.expression,
        samples=len(totals),
        unit_words=f"counts of {plan.facts.cells:,} cells added up by group",
        transform="log2(counts per million + 1), no gene length",
        unlike_expression=""
        if plan.facts.simulated
        else unlike_expression(values.astype(np.float64), list(genes)),
    )
    record_facts(adata, ReadFacts(expression=expression, simulated=plan.facts.simulated))
    return adata


def _sureness(
    parts: FloatArray, model: GeneModel, present: BoolArray, name: str, seed: int
) -> _Sureness:
    generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
    bins = len(parts)
    weights = generator.multinomial(bins, np.full(bins, 1 / bins), size=REPLICATES)
    drawn = weights @ parts
    drawn = drawn[drawn.sum(axis=1) > 0]
    whole = parts.sum(axis=0)
    thinned = generator.binomial(whole.astype(np.int64), 0.5, (_THINNINGS, len(whole)))
    profiles = np.vstack([whole, thinned, drawn])
    predicted = _predicted(profiles, model, present)
    own, halved, redrawn = np.split(predicted, [1, 1 + _THINNINGS])
    return _Sureness(float(redrawn.std(ddof=1)), float(halved.mean() - own[0]))


def _predicted(profiles: FloatArray, model: GeneModel, present: BoolArray) -> FloatArray:
    values = np.where(present, profiles, np.nan)
    return model.predict(model.prepare(Profiles.unnamed(values)))


def _with_sureness(
    scores: Scores, totals: pd.DataFrame, sureness: Sequence[_Sureness], plan: CellPlan
) -> tuple[Scores, GroupingFacts]:
    table = scores.table.copy()
    half = np.array([one.half_width for one in sureness])
    table["cells"] = totals["cells"].to_numpy()
    table["umis"] = totals["umis"].to_numpy()
    table["sampling_sd"] = [one.sampling_sd for one in sureness]
    table["depth_shift"] = [one.depth_shift for one in sureness]
    middle = table["susceptibility"]
    table["sampling_lower"], table["sampling_upper"] = middle - half, middle + half
    # errors of the model and of the sample are independent
    table["lower"] = middle - np.hypot(middle - table["lower"], half)
    table["upper"] = middle + np.hypot(table["upper"] - middle, half)
    few = (table["cells"] < FEW_CELLS).to_numpy()
    spread = float(np.std(scores.bundle.model.reference_))
    shallow = half > _WIDEST * spread
    raised = {"few_cells": few, "low_depth": shallow}
    table["flags"] = [
        ";".join([*(flag for flag, on in raised.items() if on[row]), *([said] if said else [])])
        for row, said in enumerate(table["flags"])
    ]
    flags = {name: tuple(map(str, table.index[flagged])) for name, flagged in raised.items()}
    known = plan.facts.grouping
    if known is None:
        raise ValueError("cells without groups have no scores of groups")
    facts = replace(
        known,
        replicates=REPLICATES,
        few_cells=flags["few_cells"],
        low_depth=flags["low_depth"],
    )
    said = _words(flags, len(table), half, spread)
    provenance = replace(scores.provenance, warnings=(*said, *scores.provenance.warnings))
    return replace(scores, table=table, provenance=provenance), facts


def _words(
    flags: Mapping[str, tuple[str, ...]], groups: int, half: FloatArray, spread: float
) -> Iterator[str]:
    yield (
        "The samples are groups of single cells, their counts added up. Cells and depth alone "
        f"leave their scores open by ±{np.median(half):.3f} (median, 90 %; sampling_lower and "
        f"sampling_upper), where the reference spreads by {spread:.3f} (SD)."
    )
    few, shallow = flags["few_cells"], flags["low_depth"]
    if few:
        yield (
            f"{len(few)} of {groups} groups have fewer than {FEW_CELLS} cells "
            f"({name_some(few)}): do not rank them."
        )
    if shallow:
        yield (
            f"{len(shallow)} of {groups} groups hold too few cells or UMIs to be ranked "
            f"({name_some(shallow)}): their interval from cells and depth alone is wider than the "
            "reference spreads."
        )
