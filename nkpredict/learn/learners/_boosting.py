"""Gradient boosting on genes chosen inside the fold, guided by signed evidence."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np

from nkpredict.features import Profiles, ProfilesLike, SparseProfiles, select_genes
from nkpredict.learn.learners._base import GeneLearner, LearnerState
from nkpredict.learn.learners._evidence import Evidence, signed_evidence
from nkpredict.learn.learners._tree_text import check_tree_text
from nkpredict.learn.learners._trees import read_trees
from nkpredict.types import FloatArray


class NoSplitWarning(UserWarning):
    """The trees found nothing to split on, so the learner predicts a constant."""


class EvidenceBoosting(GeneLearner):
    """LightGBM on the genes most related to the response, evidence counting in their favour.

    Genes with clear evidence may act in the direction of that evidence only (monotone
    constraints) and their splits gain a bonus. Several short models with different column samples
    are averaged, which steadies the choice among correlated genes.

    Parameters
    ----------
    evidence
        `GeneEvidence`, `ScreenTable`, array of signed evidence in gene order, or None.
    selected_genes
        How many genes enter the trees.
    trees, learning_rate, leaves, min_samples_leaf, column_share, l2
        Settings of LightGBM: ``n_estimators``, ``learning_rate``, ``num_leaves``,
        ``min_data_in_leaf`` (halved until a split is possible), ``feature_fraction`` and
        ``lambda_l2``.
    bins
        ``max_bin``; see docs/decisions/007.
    constrained_from
        Strength of evidence from which a gene is held to its direction.
    models
        How many models are averaged.
    random_state
        Seed of the row and column samples.

    Attributes
    ----------
    boosters_ : list of lightgbm.Booster
        The models averaged.
    selected_ : numpy.ndarray
        Column positions of the genes chosen.
    mean_ : numpy.ndarray
        Mean of each chosen gene, taken for a missing value.
    """

    name = "boosting"
    other_arrays = ("selected_", "mean_")
    by_default: ClassVar[bool] = False  # see docs/decisions/028

    def __init__(
        self,
        evidence: Evidence = None,
        selected_genes: int = 200,
        trees: int = 150,
        learning_rate: float = 0.05,
        leaves: int = 7,
        min_samples_leaf: int = 10,
        column_share: float = 0.2,
        l2: float = 1.0,
        bins: int = 31,
        constrained_from: float = 0.5,
        models: int = 2,
        random_state: int = 0,
    ) -> None:
        self.evidence = evidence
        self.selected_genes = selected_genes
        self.trees = trees
        self.learning_rate = learning_rate
        self.leaves = leaves
        self.min_samples_leaf = min_samples_leaf
        self.column_share = column_share
        self.l2 = l2
        self.bins = bins
        self.constrained_from = constrained_from
        self.models = models
        self.random_state = random_state

    def _learn(self, profiles: Profiles, target: FloatArray, weights: FloatArray | None) -> None:
        signed = signed_evidence(self.evidence, profiles.genes)
        # In sorted order the draws of columns do not depend on the order of the file.
        order = np.argsort(profiles.genes.to_numpy(), kind="stable")
        values, signed = profiles.values.take(order, axis=1), signed[order]
        present = ~np.isnan(values)
        mean = np.nansum(values, axis=0) / np.maximum(present.sum(axis=0), 1)
        values = np.where(present, values, mean)
        selected = select_genes(values, target, signed, self.selected_genes)
        self.selected_, self.mean_ = order[selected], mean[selected]
        self._train(values[:, selected], target, weights, signed[selected])

    def _train(
        self,
        values: FloatArray,
        target: FloatArray,
        weights: FloatArray | None,
        signed: FloatArray,
    ) -> None:
        settings = self._settings(signed)
        leaf = max(1, min(self.min_samples_leaf, len(target) // 3))
        while True:
            self._train_with({**settings, "min_data_in_leaf": leaf}, values, target, weights)
            has_split = any(b.feature_importance("split").sum() > 0 for b in self.boosters_)
            if has_split or leaf == 1:
                break
            leaf //= 2
        self.min_samples_leaf_ = leaf
        if not has_split:
            warnings.warn(
                f"The trees found no split in {len(target)} samples and predict a constant.",
                NoSplitWarning,
                stacklevel=4,
            )

    def _settings(self, signed: FloatArray) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "objective": "regression",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "feature_fraction": self.column_share,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": self.l2,
            "max_bin": self.bins,
            "min_data_in_bin": 1,
            # one thread and no choice of layout by timing: the same model everywhere
            "num_threads": 1,
            "deterministic": True,
            "force_col_wise": True,
            "verbosity": -1,
        }
        if signed.any():
            held = np.where(np.abs(signed) >= self.constrained_from, np.sign(signed), 0)
            settings["monotone_constraints"] = held.astype(int).tolist()
            settings["feature_contri"] = (1 + np.abs(signed)).tolist()
        return settings

    def _train_with(
        self,
        settings: dict[str, Any],
        values: FloatArray,
        target: FloatArray,
        weights: FloatArray | None,
    ) -> None:
        import lightgbm

        data = lightgbm.Dataset(values, target, weight=weights, params=settings)
        self.boosters_ = [
            lightgbm.train(
                {**settings, "seed": seed},
                data,
                self.trees,
                # the other way writes the model as text and reads it again
                keep_training_booster=True,
            )
            for seed in _seeds(self.random_state, self.models)
        ]

    def predict(self, X: ProfilesLike) -> FloatArray:
        """Predict one number a sample; genes are matched by name."""
        return self._predict(self._chosen(X))

    def predict_cells(self, cells: SparseProfiles) -> FloatArray:
        """Predict one number a cell from the genes that the trees may split on."""
        return self._predict(self._filled(cells.take(self.selected_)))

    def contributions(self, X: ProfilesLike) -> tuple[FloatArray, float]:
        """Return each gene's SHAP value, samples × genes, and the base value.

        Path-dependent TreeSHAP (Lundberg et al., Nat Mach Intell 2020, doi
        10.1038/s42256-019-0138-9) as LightGBM computes it.
        """
        values = self._chosen(X)
        shap_values = np.mean(
            [b.predict(values, pred_contrib=True, num_threads=1) for b in self.boosters_], axis=0
        )
        parts = np.zeros((len(values), self.n_features_in_))
        parts[:, self.selected_] = shap_values[:, :-1]
        return parts, float(shap_values[0, -1])

    def substituted(self, X: ProfilesLike, level: FloatArray) -> FloatArray:
        """Change of the prediction if one gene alone had the given level, samples × genes.

        Only the trees that split on a gene are asked again.
        """
        values = self._chosen(X)
        change = np.zeros((len(values), self.n_features_in_))
        levels = level[self.selected_]
        for booster in self.boosters_:
            for tree in read_trees(booster.model_to_string()):
                columns, changes = tree.changes(values, levels)
                change[:, self.selected_[columns]] += changes.T
        return change / len(self.boosters_)

    def state(self) -> LearnerState:
        """Return the fitted learner; the trees as LightGBM's text."""
        texts = tuple(booster.model_to_string() for booster in self.boosters_)
        return replace(super().state(), texts=texts)

    @classmethod
    def from_state(cls, parameters: Mapping[str, Any], state: LearnerState, features: int) -> Self:
        """Put a fitted learner together again; see `AdditivePredictor.from_state`."""
        import lightgbm

        learner = super().from_state(parameters, state, features)
        selected = state.array("selected_", "i", (None,))
        if not len(selected) or selected.min() < 0 or selected.max() >= features:
            raise ValueError("boosting.selected_ points beyond the genes")
        state.array("mean_", "f", selected.shape)
        if len(state.texts) != learner.models:
            raise ValueError(f"{len(state.texts)} tree models, expected {learner.models}")
        # LightGBM trusts what it reads
        for text in state.texts:
            check_tree_text(text, len(selected), learner.trees)
        learner.boosters_ = [lightgbm.Booster(model_str=text) for text in state.texts]
        return learner

    def _predict(self, values: FloatArray) -> FloatArray:
        each = [booster.predict(values, num_threads=1) for booster in self.boosters_]
        return np.asarray(np.mean(each, axis=0))

    def _chosen(self, X: ProfilesLike) -> FloatArray:
        return self._filled(self._aligned(X)[:, self.selected_])

    def _filled(self, values: FloatArray) -> FloatArray:
        return np.where(np.isnan(values), self.mean_, values)


def _seeds(random_state: int, count: int) -> list[int]:
    # LightGBM takes 31 bits
    return [int(seed) >> 1 for seed in np.random.SeedSequence(random_state).generate_state(count)]
