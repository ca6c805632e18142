"""What a model learns from: checked training data in gene order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.features import (
    GeneSets,
    ModuleScores,
    Profiles,
    ProfilesLike,
    RankedProfiles,
    not_expression,
    read_gene_sets,
)
from nkpredict.learn._blend import normal_scores
from nkpredict.learn._offsets import group_offsets
from nkpredict.learn.learners import Evidence, GeneLearner, evidence_of_axes
from nkpredict.threads import one_thread
from nkpredict.types import AnyArray, BoolArray, FloatArray, IndexArray, LabelArray

MINIMUM_SAMPLES = 20
"""Fewer cannot be split into training and test samples; set by hand."""


@dataclass(frozen=True)
class TrainingData:
    """Checked training data in gene order; `part` returns some of the samples.

    Evidence has one row for each axis of knowledge, with one number for each gene and, when there
    are `modules`, 0 for each of them.
    """

    samples: pd.Index
    genes: LabelArray
    profiles: RankedProfiles
    target: FloatArray
    labels: AnyArray | None
    weights: FloatArray | None
    evidence: FloatArray
    within_groups: bool = False
    modules: ModuleScores | None = None

    @property
    def offsets(self) -> pd.Series | None:
        """What each group adds to the response of its samples, None when that is not taken out."""
        if not self.within_groups or self.labels is None:
            return None
        return group_offsets(self.target, self.labels)

    @property
    def response(self) -> FloatArray:
        """What is learned: the response, or what is left of it without the groups' offsets."""
        offsets = self.offsets
        if offsets is None or self.labels is None:
            return self.target
        return np.asarray(self.target - offsets.reindex(self.labels).to_numpy())

    @property
    def other_units(self) -> BoolArray | None:
        """Which inputs of the learners are no expression of a gene; None when all are."""
        if self.profiles.unranked is None and self.modules is None:
            return None
        genes = self.profiles.unranked
        known = np.zeros(len(self.genes), dtype=bool) if genes is None else genes
        return np.append(known, np.ones(len(self.modules or ()), dtype=bool))

    @classmethod
    def of(
        cls,
        X: ProfilesLike,
        y: Any,
        groups: Any = None,
        sample_weight: Any = None,
        *,
        evidence: Evidence = None,
        gene_sets: GeneSets | None = None,
        within_groups: bool = False,
    ) -> TrainingData:
        """Check what a model is fitted on and bring it into gene order.

        Parameters
        ----------
        X, y, groups, sample_weight
            See `NKSusceptibilityModel.fit`.
        evidence, gene_sets, within_groups
            See `NKSusceptibilityModel`.

        Raises
        ------
        InputError
            When there are too few samples, the response is constant, a gene has no value at all,
            groups are missing, names and shapes differ, or the gene sets are malformed.
        """
        given = Profiles.of(X)
        target, weights = given.target(y), given.weights(sample_weight)
        labels = None if groups is None else given.labels(groups, "groups")
        profiles = given.sorted_by_gene()
        _check(profiles, target)
        if within_groups and groups is None:
            raise InputError(
                "Learning within groups was asked for and no groups were given; expected the "
                "lineage or study of each sample."
            )
        genes = profiles.genes
        modules = None if gene_sets is None else ModuleScores(read_gene_sets(gene_sets), genes)
        known = evidence_of_axes(evidence, genes)
        of_modules = np.zeros((len(known), 0 if modules is None else len(modules)))
        return cls(
            samples=profiles.samples,
            genes=np.asarray(genes, dtype=object),
            profiles=RankedProfiles.of(profiles.values, not_expression(genes)),
            target=target,
            labels=labels,
            weights=weights,
            evidence=np.hstack([known, of_modules]),
            within_groups=within_groups,
            modules=modules,
        )

    def part(self, rows: IndexArray) -> TrainingData:
        """Return the samples at the given positions."""
        return replace(
            self,
            samples=self.samples[rows],
            profiles=self.profiles[rows],
            target=self.target[rows],
            labels=None if self.labels is None else self.labels[rows],
            weights=None if self.weights is None else self.weights[rows],
        )


def fit_learner(learner: GeneLearner, inputs: Profiles, data: TrainingData) -> GeneLearner:
    """Fit a learner on its input (see `BlendCore`) and the normal scores of the response."""
    with one_thread():
        learner.fit(inputs, normal_scores(data.response), data.labels, data.weights)
    return learner


def _check(profiles: Profiles, target: FloatArray) -> None:
    if len(profiles) < MINIMUM_SAMPLES:
        raise InputError(
            f"Found {len(profiles)} samples with a response; expected {MINIMUM_SAMPLES} at least, "
            "because fewer cannot be split into training and test samples. Add samples."
        )
    if np.ptp(target) == 0:
        raise InputError("The response is the same for all samples; there is nothing to learn.")
    empty = profiles.genes[np.asarray(np.isnan(profiles.values).all(axis=0))]
    if len(empty):
        raise InputError(
            f"{len(empty)} genes have no value in any sample ({name_some(empty)}); remove them."
        )
