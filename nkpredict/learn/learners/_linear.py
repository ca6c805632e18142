"""What the linear learners share: standardised genes, leave-one-out in the dual, exact parts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy.linalg import eigh

from nkpredict.features import Profiles, ProfilesLike, SparseProfiles, divisor
from nkpredict.learn.learners._base import GeneLearner, LearnerState
from nkpredict.threads import one_thread
from nkpredict.types import FloatArray


class LinearLearner(GeneLearner):
    """Base of the linear learners; a subclass turns standardised rows into coefficients.

    Attributes
    ----------
    coef_ : numpy.ndarray
        Change of the prediction per standard deviation of each gene, shape (n_genes,).
    intercept_ : float
        Prediction for the average training profile.
    mean_, scale_ : numpy.ndarray
        Mean and standard deviation of each gene in the training data.
    """

    coef_: FloatArray
    intercept_: float
    mean_: FloatArray
    scale_: FloatArray

    gene_arrays: ClassVar[tuple[str, ...]] = ("coef_", "mean_", "scale_")
    numbers: ClassVar[tuple[str, ...]] = ("intercept_",)

    def _learn(self, profiles: Profiles, target: FloatArray, weights: FloatArray | None) -> None:
        count = len(profiles)
        share = np.full(count, 1 / count) if weights is None else weights / weights.sum()
        with one_thread():
            self.mean_ = _weighted_mean(profiles.values, share)
            # one copy of the profiles, changed in place: they may be large
            rows = profiles.values - self.mean_
            rows[np.isnan(rows)] = 0.0
            spread = np.sqrt(np.einsum("i,ij,ij->j", share, rows, rows))
            self.scale_ = divisor(spread, self.mean_)
            self.intercept_ = float(share @ target)
            # Weighted least squares is plain least squares on rows scaled by the root of weight.
            root = np.sqrt(share * count)
            rows /= self.scale_
            if weights is not None:
                rows *= root[:, None]
            self._fit_rows(rows, (target - self.intercept_) * root, root, profiles.genes)

    @classmethod
    def from_state(cls, parameters: Mapping[str, Any], state: LearnerState, features: int) -> Self:
        """Put a fitted learner together again; see `AdditivePredictor.from_state`."""
        learner = super().from_state(parameters, state, features)
        for name in ("coef_", "mean_"):
            state.array(name, "f", (features,))
        if not (learner.scale_ > 0).all():
            raise ValueError(f"{cls.name}.scale_ is not above 0")
        return learner

    @abstractmethod
    def _fit_rows(
        self, rows: FloatArray, residual: FloatArray, root: FloatArray, genes: pd.Index
    ) -> None:
        """Set ``coef_`` from standardised rows and centred target, both times ``root``."""

    def predict(self, X: ProfilesLike) -> FloatArray:
        """Predict one number a sample; genes are matched by name."""
        # Row sums, not a matrix product: a sample's value must not depend on its company.
        return np.asarray((self._standard(X) * self.coef_).sum(axis=1) + self.intercept_)

    def predict_cells(self, cells: SparseProfiles) -> FloatArray:
        """Predict one number a cell from what lies above its zeros."""
        weights = self.coef_ / self.scale_
        of_mean = float(np.where(cells.present, self.mean_ * weights, 0.0).sum())
        return cells.weighted_sums(weights[:, None])[:, 0] - of_mean + self.intercept_

    def contributions(self, X: ProfilesLike) -> tuple[FloatArray, float]:
        """Return each gene's part of the prediction, samples × genes, and the base value.

        For a linear model on centred genes this is the exact Shapley value with independent genes
        (Štrumbelj & Kononenko, Knowl Inf Syst 2014, doi 10.1007/s10115-013-0679-x).
        """
        return self._standard(X) * self.coef_, self.intercept_

    def slopes(self, X: ProfilesLike, standard: FloatArray) -> FloatArray:
        """Return ``coef_``: the change of the prediction per standard deviation of each gene."""
        return self.coef_

    def substituted(self, X: ProfilesLike, level: FloatArray) -> FloatArray:
        """Change of the prediction if one gene alone had the given level, samples × genes."""
        standard = np.nan_to_num((level - self.mean_) / self.scale_)
        return (standard - self._standard(X)) * self.coef_

    def _standard(self, X: ProfilesLike) -> FloatArray:
        values = self._aligned(X)
        return np.nan_to_num((values - self.mean_) / self.scale_)


def left_out_errors(
    gram: FloatArray, residual: FloatArray, root: FloatArray, penalties: FloatArray
) -> FloatArray:
    """Mean squared leave-one-out error of a ridge in the dual, for every penalty.

    Closed form over the whole path (Golub, Heath & Wahba, Technometrics 1979, doi
    10.1080/00401706.1979.10489751).

    Parameters
    ----------
    gram
        Samples × samples.
    residual, root
        Centred target and root of the sample weights, as in `LinearLearner`.
    penalties
        Candidates, shape (n_penalties,).

    Returns
    -------
    numpy.ndarray
        Shape (n_penalties,).
    """
    eigenvalues, vectors = eigh(gram, driver="evd")
    eigenvalues = np.maximum(eigenvalues, 0)[:, None]
    shrink = eigenvalues / (eigenvalues + penalties)
    remaining = residual[:, None] - vectors @ (shrink * (vectors.T @ residual)[:, None])
    # Leverage of the mean is added because the target was centred on it.
    leverage = vectors**2 @ shrink + (root**2 / (root @ root))[:, None]
    return np.asarray(((remaining / np.maximum(1 - leverage, 1e-6)) ** 2).mean(axis=0))


def _weighted_mean(values: FloatArray, share: FloatArray) -> FloatArray:
    present = ~np.isnan(values)
    if present.all():
        return share @ values
    total = share @ present
    sums = share @ np.nan_to_num(values)
    return np.divide(sums, total, out=np.zeros_like(total), where=total > 0)
