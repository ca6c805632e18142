"""What the figures of scored samples show, for Matplotlib and for the report alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.explain import by_gene, lowest_in_rows
from nkpredict.facts import ScoringFacts
from nkpredict.features import row_blocks
from nkpredict.types import FloatArray, IndexArray

GENES_SHOWN = 12
MAP_GENES = 40
ALL_SAMPLES = "all samples"
OTHER_GENES = "other genes"
_MOST_GROUPS = 12
_AT_ONCE = 500  # samples
_FEW_VALUES = 6  # numbers that are told apart one by one; more are cut into thirds


class Scored(Protocol):
    """What a figure needs of scores; the tables of `optional` may be absent.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a sample.
    contributions : pandas.DataFrame
        Samples × genes; with ``base_value`` they add up to the prediction.
    base_value : float
        Prediction for the average profile.
    resistance_genes : pandas.DataFrame
        Genes against the reference, see `nkpredict.explain.resistance_genes`.
    provenance : ScoringFacts
        What was detected, and the model.
    """

    @property
    def table(self) -> pd.DataFrame: ...

    @property
    def contributions(self) -> pd.DataFrame: ...

    @property
    def base_value(self) -> float: ...

    @property
    def resistance_genes(self) -> pd.DataFrame: ...

    @property
    def provenance(self) -> ScoringFacts: ...


@dataclass(frozen=True)
class Step:
    """One step of a waterfall: from where to where the prediction moves."""

    label: str
    start: float
    end: float

    @property
    def change(self) -> float:
        """By how much the prediction moves."""
        return self.end - self.start


@dataclass(frozen=True)
class Waterfall:
    """How the genes of one sample lead from the base value to its prediction.

    Attributes
    ----------
    base, prediction
        Where the steps begin and end.
    steps
        The strongest genes by absolute contribution, then all other genes together.
    raising, lowering
        Genes among the steps that raise or lower the prediction, strongest first.
    """

    base: float
    prediction: float
    steps: tuple[Step, ...]
    raising: tuple[str, ...]
    lowering: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Predictions of one lineage, in the cohort and among the reference samples."""

    name: str
    samples: tuple[str, ...]
    cohort: FloatArray
    reference: FloatArray


def is_knowledge_only(scores: Scored) -> bool:
    """Whether the model knows published experiments alone and no measured response."""
    return scores.provenance.model.knowledge_only


def score_word(scores: Scored) -> str:
    """Name the number that is predicted."""
    return scores.provenance.model.score_word


def reference_word(scores: Scored) -> str:
    """Name the samples that a score is compared with."""
    return scores.provenance.model.reference_word


def optional(scores: Scored, name: str) -> pd.DataFrame:
    """Return a table that the scores may lack; empty when it is absent."""
    table = getattr(scores, name, None)
    return pd.DataFrame() if table is None else table


def lineages(scores: Scored) -> pd.Series | None:
    """Return the lineage of each scored sample as text, NaN where unknown; None without any."""
    known = getattr(scores, "lineage", None)
    if known is None:
        return None
    known = known.reindex(scores.table.index)
    known = known.where(known.isna(), known.astype(str))
    return None if known.isna().all() else known


def ranked(scores: Scored) -> pd.DataFrame:
    """Return the table of samples, highest prediction first."""
    return scores.table.sort_values("susceptibility", ascending=False, kind="stable")


def waterfall(scores: Scored, sample: str, genes: int = GENES_SHOWN) -> Waterfall:
    """Return the steps from the base value to the prediction of one sample.

    Parameters
    ----------
    scores
        Scores of a cohort.
    sample
        Name of the sample.
    genes
        How many genes to show one by one.

    Raises
    ------
    InputError
        When there is no such sample.
    """
    if sample not in scores.contributions.index:
        raise InputError(
            f"There is no sample {sample!r}; the scores hold "
            f"{name_some(scores.contributions.index)}."
        )
    values = scores.contributions.loc[[sample]].to_numpy(dtype=float)
    return next(_waterfalls(scores, values, genes))


def waterfalls(scores: Scored, genes: int = GENES_SHOWN) -> Iterator[Waterfall]:
    """Return the steps of every sample, in the order of the contributions; see `waterfall`."""
    return _waterfalls(scores, scores.contributions.to_numpy(dtype=float), genes)


def _waterfalls(scores: Scored, values: FloatArray, genes: int) -> Iterator[Waterfall]:
    names = list(map(str, scores.contributions.columns))
    base = float(scores.base_value)
    for rows in row_blocks(len(values), _AT_ONCE):
        part = values[rows]
        for own, strongest in zip(part, lowest_in_rows(-np.abs(part), genes), strict=True):
            yield _waterfall(names, own, strongest[own[strongest] != 0], base)


def _waterfall(names: list[str], values: FloatArray, genes: IndexArray, base: float) -> Waterfall:
    steps: list[Step] = []
    place = base
    for gene in genes:
        steps.append(Step(names[gene], place, place + float(values[gene])))
        place = steps[-1].end
    prediction = float(base + values.sum())
    if len(values) > len(genes):
        steps.append(Step(OTHER_GENES, place, prediction))
    return Waterfall(
        base=base,
        prediction=prediction,
        steps=tuple(steps),
        raising=tuple(names[g] for g in genes if values[g] > 0),
        lowering=tuple(names[g] for g in genes if values[g] < 0),
    )


def gene_map(scores: Scored, genes: int = MAP_GENES) -> pd.DataFrame:
    """Return the contributions of the strongest genes, ordered to be read as a map.

    Parameters
    ----------
    scores
        Scores of a cohort.
    genes
        How many genes, by mean absolute contribution.

    Returns
    -------
    pandas.DataFrame
        Genes × samples. Samples by prediction, highest first; genes with similar rows are
        neighbours (average linkage of Euclidean distances, leaves ordered to keep neighbours
        near), turned so that the raising end is on top.
    """
    samples = ranked(scores).index
    parts = scores.contributions
    strength = by_gene(parts.to_numpy(), lambda some: np.abs(some).mean(axis=0))
    chosen = np.argsort(-strength, kind="stable")[:genes]
    chosen = chosen[strength[chosen] > 0]
    values = parts.take(chosen, axis=1).loc[samples].T
    if len(values) < 3:
        return values.take(np.argsort(-values.mean(axis=1).to_numpy(), kind="stable"))
    from scipy.cluster.hierarchy import leaves_list, linkage

    order = leaves_list(linkage(values.to_numpy(), method="average", optimal_ordering=True))
    mean = values.mean(axis=1).to_numpy()[order]
    half = len(order) // 2
    return values.take(order if mean[:half].sum() >= mean[half:].sum() else order[::-1])


def groups(scores: Scored) -> list[Group]:
    """Return the predictions of the cohort beside those of the reference, by lineage.

    Returns
    -------
    list of Group
        All samples first, then the lineages of the cohort by size, then those of the reference
        alone, 12 at most. Reference values are held-out predictions.
    """
    values = scores.table["susceptibility"].astype(float)
    reference = optional(scores, "reference")
    beside = (
        reference["susceptibility"].astype(float)
        if "susceptibility" in reference
        else pd.Series(dtype=float)
    )
    found = [_group(ALL_SAMPLES, values, beside)]
    own = lineages(scores)
    theirs = (
        reference["lineage"].dropna().astype(str)
        if "lineage" in reference
        else pd.Series(dtype=str)
    )
    names = [] if own is None else list(own.value_counts(sort=True).index)
    names += [name for name in theirs.value_counts().index if name not in names]
    for name in names[: _MOST_GROUPS - 1]:
        in_cohort = values.iloc[:0] if own is None else values[own == name]
        found.append(_group(str(name), in_cohort, beside.loc[theirs.index[theirs == name]]))
    return found


def covariate_groups(scores: Scored) -> dict[str, list[Group]]:
    """Return the predictions of the cohort by each covariate that was given beside the lineage.

    Returns
    -------
    dict of str to list of Group
        Covariate → its values by size, 12 at most; no reference stands beside them. A covariate of
        numbers with more than 6 values is cut into thirds, lowest first.
    """
    values = scores.table["susceptibility"].astype(float)
    nothing = pd.Series(dtype=float)
    return {
        str(name): [
            _group(str(value), values[labels == value], nothing)
            for value in _order(labels)[:_MOST_GROUPS]
        ]
        for name, labels in covariates(scores).items()
    }


def covariates(scores: Scored) -> pd.DataFrame:
    """Return the covariates of each sample as text, NaN where unknown; without the lineage."""
    given = optional(scores, "covariates")
    if given.empty:
        return given
    given = given.reindex(scores.table.index)
    return pd.DataFrame({name: _labels(column) for name, column in given.items()})


def _labels(column: pd.Series) -> pd.Series:
    number = pd.to_numeric(column, errors="coerce")
    if number.notna().sum() < column.notna().sum() or number.nunique() <= _FEW_VALUES:
        return column.where(column.isna(), column.astype(str)).astype(object)
    # measured values, so that the names of the thirds are exact
    low, high = number.quantile([1 / 3, 2 / 3], interpolation="lower")
    names = [f"up to {low:g}", f"{low:g} to {high:g}", f"over {high:g}"]
    third = np.select([number <= low, number <= high], names[:2], names[2])
    return pd.Series(pd.Categorical(third, names, ordered=True), column.index).mask(number.isna())


def _order(labels: pd.Series) -> list[str]:
    """Labels in their own order when they have one, else by their number of samples."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        return list(labels.cat.categories)
    return list(labels.value_counts(sort=True).index)


def _group(name: str, cohort: pd.Series, reference: pd.Series) -> Group:
    finite = cohort[np.isfinite(cohort.to_numpy())]
    known = reference.to_numpy(dtype=np.float64)
    return Group(
        name,
        tuple(map(str, finite.index)),
        finite.to_numpy(dtype=np.float64),
        known[np.isfinite(known)],
    )
