"""Genes that go with lower susceptibility in a cohort, each lineage or each sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.explain._attribution import LEAST_GROUP, Explanation, explain
from nkpredict.explain._gene_evidence import evidence_role
from nkpredict.explain._knockout import Perturbation, knockout
from nkpredict.explain._percentile import percentile, percentile_in_training
from nkpredict.explain._resistance import resistance_genes
from nkpredict.explain._stability import Stability
from nkpredict.features import ProfilesLike
from nkpredict.learn import Evidence, GeneModel, HarmonisedProfiles
from nkpredict.types import FloatArray, IndexArray
from nkpredict.vocabulary import EvidenceRole, GeneReading

Level: TypeAlias = Literal["cohort", "group", "sample"]

COHORT = "all samples"
_VALUES_AT_ONCE = 16_000_000  # set by hand


def resistance_table(
    model: GeneModel,
    profiles: ProfilesLike | HarmonisedProfiles,
    by: Level = "cohort",
    groups: Any = None,
    *,
    reading: str = GeneReading.AGAINST_REFERENCE,
    explanation: Explanation | None = None,
    drivers: pd.DataFrame | None = None,
    stability: Stability | None = None,
    reference: ProfilesLike | None = None,
    permutations: int = 0,
    top: int | None = 50,
    random_state: int = 0,
) -> pd.DataFrame:
    """Rank the genes associated with lower susceptibility of a cohort, each group or each sample.

    By default against the reference: the average profile that the model was made from. What
    separates the resisting samples of a cohort from the others is another reading, see
    `resistance_genes`. The list of one sample holds the genes that lower this sample.

    Parameters
    ----------
    model
        Fitted model.
    profiles
        Samples × genes.
    by
        ``cohort``: one ranking; ``group``: one for each label; ``sample``: one for each sample.
    groups
        Label of each sample, such as its lineage; needed for ``group``.
    reading
        What is compared with what; see `resistance_genes`.
    explanation
        What `explain` returned for the same model, profiles and groups, where it is at hand.
    drivers, stability
        See `resistance_genes`.
    reference
        Training profiles, for percentiles counted in them. Without them the percentile is that of
        the normal distribution whose 5th and 95th percentile are those of the training
        (``model.range_``).
    permutations
        For ``group``: how often samples are dealt out to the group at random to test whether a
        gene's contribution differs from that in all other samples; 0 for no test.
    top
        Genes of each ranking; None for all.
    random_state
        Seed of the permutations.

    Returns
    -------
    pandas.DataFrame
        The columns of `resistance_genes` and, before them, ``level, name, samples, rank``; after
        them ``reference_percentile`` (of the median harmonised expression among the training
        profiles; NaN where the gene was not measured), ``cohort_percentile`` (the same among all
        samples given; NaN for the cohort), ``perturbation`` (``loss`` of a protecting gene,
        ``gain`` of a sensitizing one) and ``perturbation_change`` (mean predicted change of
        susceptibility by it, see `knockout`). With permutations ``difference_from_others`` (mean
        contribution less that of the other samples) and ``difference_fdr`` (Benjamini-Hochberg
        over the model's genes; NaN for groups with fewer than 2 samples or others).

    Raises
    ------
    InputError
        When level or reading are not known, groups are missing, or a cohort, a group or a sample
        alone is too small to be separated.
    """
    if by not in get_args(Level):
        raise InputError(f"The level {by!r} is not known; expected {', '.join(get_args(Level))}.")
    if by == "group" and groups is None:
        raise InputError("Ranking by group needs groups; give one label for each sample.")
    prepared = model.prepare(profiles)
    if by != "cohort":
        prepared = prepared.whole()
    if explanation is None:
        explanation = explain(model, prepared, groups)
    cohort = GeneRanker.of(model, prepared, explanation, drivers, stability, reference)
    tables = []
    for name, rows in _members(explanation, by):
        table = cohort.genes(rows, top, reading, beside_others=by != "cohort")
        if permutations and by == "group":
            table = _with_difference(table, explanation, rows, permutations, random_state)
        head: dict[str, Any] = {
            "level": by,
            "name": name,
            "samples": len(rows),
            "rank": range(1, len(table) + 1),
        }
        for place, (column, value) in enumerate(head.items()):
            table.insert(place, column, value)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


@dataclass(frozen=True)
class GeneRanker:
    """All samples, prepared once for the rankings of any part of them."""

    model: GeneModel
    explanation: Explanation
    drivers: pd.DataFrame | None
    stability: Stability | None
    prepared: HarmonisedProfiles
    reference: FloatArray | None
    evidence: Evidence
    role: EvidenceRole
    genes_at: pd.Series

    @classmethod
    def of(
        cls,
        model: GeneModel,
        prepared: HarmonisedProfiles,
        explanation: Explanation,
        drivers: pd.DataFrame | None,
        stability: Stability | None,
        reference: ProfilesLike | None,
    ) -> Self:
        """Prepare samples; parameters as in `resistance_table`."""
        genes = explanation.contributions.columns
        return cls(
            model,
            explanation,
            drivers,
            stability,
            prepared,
            None if reference is None else model.prepare(reference).values,
            getattr(model, "evidence_", None),
            evidence_role(model),
            pd.Series(np.arange(len(genes)), index=genes),
        )

    def genes(
        self, rows: IndexArray, top: int | None, reading: str, beside_others: bool
    ) -> pd.DataFrame:
        """Rank the genes of some samples; tell their expression and what a perturbation does."""
        table = self.ranked(rows, reading)
        table = table if top is None else table.head(top)
        at = self.genes_at[table["gene"]].to_numpy()
        level = self._median(rows, at)
        table["reference_percentile"] = (
            percentile_in_training(level, np.asarray(self.model.range_)[:, at])
            if self.reference is None
            else percentile(level, self.reference[:, at])
        )
        table["cohort_percentile"] = (
            percentile(level, self.prepared.values[:, at]) if beside_others else np.nan
        )
        return self._with_perturbation(table, rows)

    def ranked(self, rows: IndexArray, reading: str) -> pd.DataFrame:
        """Rank the genes of some samples; see `resistance_genes`."""
        parts = self.explanation.contributions
        return resistance_genes(
            parts if len(rows) == len(parts) else parts.iloc[rows],
            np.asarray(self.model.effect_),
            self.evidence,
            self.drivers,
            self.stability,
            self._measured(rows),
            reading=reading,
            role=self.role,
        )

    def _with_perturbation(self, table: pd.DataFrame, rows: IndexArray) -> pd.DataFrame:
        """Add what is predicted when each gene is lost or gained against its direction."""
        at = self.genes_at[table["gene"]].to_numpy()
        kind = table["direction"].map({"protects": "loss", "sensitizes": "gain"}).fillna("")
        table["perturbation"] = kind
        table["perturbation_change"] = np.select(
            [kind == "loss", kind == "gain"],
            [self._mean_change("loss", rows, at), self._mean_change("gain", rows, at)],
            np.nan,
        )
        return table

    def _mean_change(self, kind: Perturbation, rows: IndexArray, at: IndexArray) -> FloatArray:
        """Mean predicted change by a perturbation of some genes over some samples."""
        if len(rows) == len(self.explanation.contributions):
            return self._mean_changes[kind][at]
        return np.asarray(self._changes[kind][np.ix_(rows, at)].mean(axis=0))

    @cached_property
    def _changes(self) -> dict[Perturbation, FloatArray]:
        return {kind: self._change(kind, self.prepared) for kind in get_args(Perturbation)}

    @cached_property
    def _mean_changes(self) -> dict[Perturbation, FloatArray]:
        """Mean change over all samples, of which some at a time are perturbed."""
        means: dict[Perturbation, FloatArray] = {}
        for kind in get_args(Perturbation):
            total = np.zeros(len(self.genes_at))
            for block in self.prepared.blocks():
                change = self._change(kind, block)
                change[0] += total  # the order of a sum over all at once
                total = change.sum(axis=0)
            means[kind] = total / len(self.explanation.contributions)
        return means

    def _change(self, kind: Perturbation, prepared: HarmonisedProfiles) -> FloatArray:
        return knockout(self.model, prepared, kind=kind).changes.to_numpy()

    def _measured(self, rows: IndexArray) -> FloatArray:
        """Share of some samples in which each gene was measured."""
        found = np.zeros(len(self.genes_at), dtype=np.intp)
        every = len(rows) == len(self.prepared.samples)
        for block in self.prepared.blocks() if every else [self.prepared.take(rows)]:
            found += (~np.isnan(block.values)).sum(axis=0)
        return found / len(rows)

    def _median(self, rows: IndexArray, at: IndexArray) -> FloatArray:
        """Median level of some genes over some samples, some genes at a time."""
        parts = np.array_split(at, max(1, len(rows) * len(at) // _VALUES_AT_ONCE))
        return np.concatenate([_median(self.prepared.at(rows, part)) for part in parts])


def _members(explanation: Explanation, by: str) -> list[tuple[str, npt.NDArray[np.intp]]]:
    samples = explanation.contributions.index
    if by == "cohort":
        return [(COHORT, np.arange(len(samples)))]
    if by == "sample":
        return [(str(name), np.array([row])) for row, name in enumerate(samples)]
    labels = explanation.groups
    assert labels is not None  # noqa: S101 - for the type checker; checked above
    return [
        (str(name), np.flatnonzero((labels == name).to_numpy()))
        for name in sorted(labels.unique(), key=str)
    ]


def _with_difference(
    table: pd.DataFrame,
    explanation: Explanation,
    rows: npt.NDArray[np.intp],
    permutations: int,
    random_state: int,
) -> pd.DataFrame:
    samples = explanation.contributions.index
    if min(len(rows), len(samples) - len(rows)) < LEAST_GROUP:
        return table.assign(difference_from_others=np.nan, difference_fdr=np.nan)
    found = explanation.contrast(
        samples[rows], permutations=permutations, random_state=random_state
    ).set_index("gene")
    own = found.loc[table["gene"]]
    return table.assign(
        difference_from_others=own["difference"].to_numpy(), difference_fdr=own["fdr"].to_numpy()
    )


def _median(values: FloatArray) -> FloatArray:
    """Median of each column, NaN for one without any value."""
    out = np.full(values.shape[1], np.nan)
    some = ~np.isnan(values).all(axis=0)
    out[some] = np.nanmedian(values[:, some], axis=0)
    return out
