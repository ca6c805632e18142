"""Gradient boosting on genes chosen inside the fold, guided by signed evidence."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np

from nkpredict.errors import InputError
from nkpredict.features import remember_names, select_genes, to_frame, to_target, to_weights
from nkpredict.learn.learners._base import GeneLearner
from nkpredict.learn.learners._evidence import Evidence, signed_evidence


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
        ``max_bin``; at 63 to 2,000 samples more bins only cost time.
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

    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> Self:
        """Fit on samples × genes.

        Parameters
        ----------
        X
            DataFrame, AnnData or array of samples × genes; NaN counts as the gene's mean.
        y
            One number a sample.
        groups
            Not used; present so that all learners are called alike.
        sample_weight
            Non-negative weights.

        Raises
        ------
        InputError
            When shapes or names differ or values are not finite.
        """
        frame = to_frame(X)
        target = to_target(y, X)
        weights = to_weights(sample_weight, X)
        if len(frame) < 2:
            raise InputError(f"Found {len(frame)} sample; trees need 2 samples at least.")
        signed = signed_evidence(self.evidence, frame.columns)
        # In sorted order the draws of columns do not depend on the order of the file.
        order = np.argsort(frame.columns.to_numpy(), kind="stable")
        frame, signed = frame.iloc[:, order], signed[order]
        values = frame.to_numpy()
        present = ~np.isnan(values)
        mean = np.nansum(values, axis=0) / np.maximum(present.sum(axis=0), 1)
        values = np.where(present, values, mean)
        self.selected_ = select_genes(values, target, signed, self.selected_genes)
        self.mean_ = mean[self.selected_]
        self._train(values[:, self.selected_], target, weights, signed[self.selected_])
        self.n_features_in_ = frame.shape[1]
        remember_names(self, X, frame)
        return self

    def _train(
        self, values: np.ndarray, target: np.ndarray, weights: np.ndarray | None, signed: np.ndarray
    ) -> None:
        import lightgbm

        constraints = np.where(np.abs(signed) >= self.constrained_from, np.sign(signed), 0)
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
            settings["monotone_constraints"] = constraints.astype(int).tolist()
            settings["feature_contri"] = (1 + np.abs(signed)).tolist()
        leaf = max(1, min(self.min_samples_leaf, len(target) // 3))
        while True:
            settings["min_data_in_leaf"] = leaf
            data = lightgbm.Dataset(values, target, weight=weights, params=settings)
            self.boosters_ = [
                lightgbm.train(
                    {**settings, "seed": self.random_state * 1000 + number},
                    data,
                    self.trees,
                    # the other way writes the model as text and reads it again
                    keep_training_booster=True,
                )
                for number in range(self.models)
            ]
            has_split = any(b.feature_importance("split").sum() > 0 for b in self.boosters_)
            if has_split or leaf == 1:
                break
            leaf //= 2
        self.min_samples_leaf_ = leaf
        if not has_split:
            warnings.warn(
                f"The trees found no split in {len(target)} samples and predict a constant.",
                NoSplitWarning,
                stacklevel=3,
            )

    def predict(self, X: Any) -> np.ndarray:
        """Predict one number a sample; genes are matched by name."""
        return self._predict(self._chosen(X))

    def contributions(self, X: Any) -> tuple[np.ndarray, float]:
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

    def substituted(self, X: Any, level: np.ndarray) -> np.ndarray:
        """Change of the prediction if one gene alone had the given level, samples × genes."""
        values = self._chosen(X)
        before = self._predict(values)
        change = np.zeros((len(values), self.n_features_in_))
        used = np.flatnonzero(np.sum([b.feature_importance() for b in self.boosters_], axis=0))
        for column in used:
            gene = self.selected_[column]
            if np.isfinite(level[gene]):
                kept = values[:, column].copy()
                values[:, column] = level[gene]
                change[:, gene] = self._predict(values) - before
                values[:, column] = kept
        return change

    def _predict(self, values: np.ndarray) -> np.ndarray:
        predicted: np.ndarray = np.mean(
            [booster.predict(values, num_threads=1) for booster in self.boosters_], axis=0
        )
        return predicted

    def _chosen(self, X: Any) -> np.ndarray:
        values = self._aligned(X)[:, self.selected_]
        return np.where(np.isnan(values), self.mean_, values)
