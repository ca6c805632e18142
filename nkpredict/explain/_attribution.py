"""Exact additive attribution: which genes make the predictions of samples, groups and cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.explain._contrast import contrast_groups
from nkpredict.features import Profiles, ProfilesLike
from nkpredict.io import all_simulated
from nkpredict.learn import GeneModel, HarmonisedProfiles

if TYPE_CHECKING:
    import shap

LEAST_GROUP = 2
"""Samples that each side of a contrast needs: one has no spread."""


@dataclass(frozen=True, repr=False)
class Explanation:
    """Predictions split into parts of genes.

    Attributes
    ----------
    contributions : pandas.DataFrame
        Samples × genes, in the unit of the prediction.
    base_value : float
        Prediction for the average training profile; with the contributions of a sample it adds
        up to its prediction.
    predicted : pandas.Series
        Prediction of each sample.
    profiles : pandas.DataFrame
        Samples × genes as given, NaN where a gene was not measured.
    groups : pandas.Series or None
        Label of each sample, such as its lineage or its cohort.
    """

    contributions: pd.DataFrame
    base_value: float
    predicted: pd.Series
    profiles: pd.DataFrame
    groups: pd.Series | None = None

    @property
    def additivity_error(self) -> float:
        """Largest difference between a prediction and the sum of its parts."""
        parts = self.contributions.sum(axis=1) + self.base_value
        return float((parts - self.predicted).abs().max())

    @property
    def simulated(self) -> bool:
        """Whether the profiles are simulated."""
        return all_simulated(self.contributions.index)

    def per_gene(self) -> pd.DataFrame:
        """Summarise the cohort.

        Returns
        -------
        pandas.DataFrame
            One row a gene, the largest mean |contribution| first: ``gene, mean, mean_abs, lowest,
            highest`` and ``measured`` (share of the samples).
        """
        return _ranked(_summary(self.contributions, self.profiles))

    def per_group(self, labels: Any = None) -> pd.DataFrame:
        """Summarise each group.

        Parameters
        ----------
        labels
            Label of each sample; the explanation's own when not given.

        Returns
        -------
        pandas.DataFrame
            Columns ``group, samples`` and those of `per_gene`, groups in sorted order.

        Raises
        ------
        InputError
            When there are no labels.
        """
        named = self._labels(labels)
        tables = []
        for group in sorted(named.unique(), key=str):
            own = (named == group).to_numpy()
            table = _ranked(_summary(self.contributions[own], self.profiles[own]))
            table.insert(0, "samples", int(own.sum()))
            table.insert(0, "group", group)
            tables.append(table)
        return pd.concat(tables, ignore_index=True)

    def per_sample(self, sample: str) -> pd.DataFrame:
        """List the genes of one sample, the largest |contribution| first.

        Returns
        -------
        pandas.DataFrame
            ``gene, contribution`` and ``expression`` as given.

        Raises
        ------
        InputError
            When there is no such sample.
        """
        if sample not in self.contributions.index:
            raise InputError(
                f"There is no sample {sample!r}; expected one of "
                f"{name_some(self.contributions.index)}."
            )
        parts = self.contributions.loc[sample]
        table = pd.DataFrame(
            {
                "gene": parts.index,
                "contribution": parts.to_numpy(),
                "expression": self.profiles.loc[sample].to_numpy(np.float64),
            }
        )
        order = table["contribution"].abs().sort_values(ascending=False, kind="stable").index
        return table.loc[order].reset_index(drop=True)

    def contrast(
        self,
        group_a: Any,
        group_b: Any = None,
        *,
        permutations: int = 9999,
        random_state: int = 0,
    ) -> pd.DataFrame:
        """Compare two groups of samples gene by gene.

        Parameters
        ----------
        group_a, group_b
            A label of the explanation's groups, or sample names; all other samples when the
            second is not given.
        permutations
            How often samples are dealt out to the groups at random. No p value is below
            1 / (permutations + 1).
        random_state
            Seed.

        Returns
        -------
        pandas.DataFrame
            One row a gene, the largest |difference| first: ``gene, mean_a, mean_b, difference``
            (these add up to the difference of the mean predictions), two-sided permutation ``p``
            and ``fdr`` (Benjamini & Hochberg 1995, doi 10.1111/j.2517-6161.1995.tb02031.x) over
            the genes that contribute to any of the samples; 1 for the others.

        Raises
        ------
        InputError
            When a group is not known, has fewer than 2 samples, or the groups overlap.
        """
        first = self._members(group_a)
        second = ~first if group_b is None else self._members(group_b)
        for name, members in (("first", first), ("second", second)):
            if members.sum() < LEAST_GROUP:
                raise InputError(
                    f"The {name} group has {int(members.sum())} sample(s); a contrast needs "
                    f"{LEAST_GROUP} on each side."
                )
        if (first & second).any():
            both = self.contributions.index[first & second]
            raise InputError(f"{len(both)} samples are in both groups ({name_some(both)}).")
        return contrast_groups(self.contributions, first, second, permutations, random_state)

    def to_shap(self) -> shap.Explanation:
        """Return a `shap.Explanation`, so that all plots of shap work."""
        return shap_explanation(self.contributions, self.base_value, self.profiles)

    def __repr__(self) -> str:
        """Summarise in one line."""
        samples, genes = self.contributions.shape
        acting = int((self.contributions != 0).any(axis=0).sum())
        mark = "SIMULATED, " if self.simulated else ""
        return f"Explanation({mark}{samples} samples, {acting:,} of {genes:,} genes contribute)"

    def _labels(self, labels: Any) -> pd.Series:
        if labels is None:
            if self.groups is None:
                raise InputError("The explanation has no groups; give one label for each sample.")
            return self.groups
        found = Profiles.of(self.contributions).labels(labels, "groups")
        return pd.Series(found, index=self.contributions.index)

    def _members(self, group: Any) -> npt.NDArray[np.bool_]:
        samples = self.contributions.index
        if isinstance(group, str):
            members: npt.NDArray[np.bool_] = (self._labels(None) == group).to_numpy()
            if not members.any():
                known = name_some(sorted(self._labels(None).unique(), key=str))
                raise InputError(f"There is no group {group!r}; expected one of {known}.")
            return members
        wanted = pd.Index(group)
        absent = wanted.difference(samples)
        if len(absent):
            raise InputError(
                f"{len(absent)} samples of a group are not explained ({name_some(absent)})."
            )
        return np.asarray(samples.isin(wanted))


def explain(
    model: GeneModel, profiles: ProfilesLike | HarmonisedProfiles, groups: Any = None
) -> Explanation:
    """Split the prediction of each profile into parts of its genes.

    Linear learners are split exactly, trees by path-dependent TreeSHAP; the parts of a blend are
    the weighted sums of theirs, so they add up to the prediction.

    Parameters
    ----------
    model
        Fitted model.
    profiles
        Samples × genes; genes are matched by name.
    groups
        Label of each sample, such as its lineage; a column of ``profiles.obs`` by name.

    Returns
    -------
    Explanation

    Raises
    ------
    InputError
        When profiles and model share no gene, or labels do not fit the samples.
    """
    prepared = model.prepare(profiles)
    labels = None if groups is None else prepared.given.labels(groups, "groups")
    contributions, base = model.contributions(prepared)
    samples, genes = contributions.index, contributions.columns
    return Explanation(
        contributions,
        base,
        pd.Series(model.predict(prepared), index=samples, name="predicted"),
        pd.DataFrame(prepared.given.values, index=samples, columns=genes),
        None if labels is None else pd.Series(labels, index=samples),
    )


def shap_explanation(
    contributions: pd.DataFrame, base_value: float, profiles: pd.DataFrame
) -> shap.Explanation:
    """Wrap contributions as a `shap.Explanation`.

    Parameters
    ----------
    contributions
        Samples × genes.
    base_value
        Prediction for the average training profile.
    profiles
        Expression to show beside the contributions, matched by name.
    """
    import shap

    return shap.Explanation(
        values=contributions.to_numpy(),
        base_values=np.full(len(contributions), base_value),
        data=profiles.reindex(contributions.index, columns=contributions.columns).to_numpy(),
        feature_names=list(contributions.columns),
    )


def _summary(contributions: pd.DataFrame, profiles: pd.DataFrame) -> pd.DataFrame:
    values = contributions.to_numpy()
    return pd.DataFrame(
        {
            "gene": contributions.columns,
            "mean": values.mean(axis=0),
            "mean_abs": np.abs(values).mean(axis=0),
            "lowest": values.min(axis=0),
            "highest": values.max(axis=0),
            "measured": profiles.notna().to_numpy().mean(axis=0),
        }
    )


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values("mean_abs", ascending=False, kind="stable", ignore_index=True)
