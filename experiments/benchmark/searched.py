"""Peers that search their settings on inner folds, fitted for all settings at once.

Each method takes standardised training profiles, their response and standardised test profiles, and
returns the predictions of every setting it offers, test samples × settings. What the settings share
(a Gram matrix, distances, a path) is made once, so that a peer costs no more than it must.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.linalg import eigh
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GroupKFold, KFold

from nkpredict.learn import normal_scores

INNER_FOLDS = 5

_PENALTIES = np.logspace(-3, 3, 25)
_COMPONENTS = 10
# C and gamma of the support vectors, gamma relative to the number of genes.
_COSTS, _GAMMAS = (0.3, 1.0, 3.0, 10.0), (0.1, 0.3, 1.0)
_SHARES = (0.1, 0.5, 0.9)
_PATH = np.logspace(-0.1, -1.5, 15)
# Penalties under which the kernel machine learns its features, and rounds of learning them.
_FEATURE_PENALTIES, _ROUNDS = (0.1, 1.0), 3

# Of the variance of the coefficients, in the ridge that knows the strength of evidence.
_EVIDENCE_SHARES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)


def ridge(train: np.ndarray, target: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Ridge regression under 25 penalties."""
    gram = train @ train.T
    size = np.trace(gram) / len(gram)
    return _kernel_ridge(gram / size, target, (test @ train.T) / size, _PENALTIES)


def partial_least_squares(train: np.ndarray, target: np.ndarray, test: np.ndarray) -> np.ndarray:
    """PLS1 with 1 to 10 components; a fit of many holds those of fewer."""
    from sklearn.cross_decomposition import PLSRegression

    count = min(_COMPONENTS, len(train) - 1)
    fitted = PLSRegression(count, scale=False).fit(train, target)
    steps = fitted.x_rotations_ * fitted.y_loadings_
    return target.mean() + np.cumsum(test @ steps, axis=1)


def support_vectors(train: np.ndarray, target: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Support vector regression with an RBF kernel, 4 × 3 settings, response standardised."""
    from sklearn.svm import SVR

    center, scale = target.mean(), target.std()
    within = _squared_distances(train, train) / train.shape[1]
    across = _squared_distances(test, train) / train.shape[1]
    predicted = []
    for gamma in _GAMMAS:
        kernel, new = np.exp(-gamma * within), np.exp(-gamma * across)
        for cost in _COSTS:
            machine = SVR(kernel="precomputed", C=cost).fit(kernel, (target - center) / scale)
            predicted.append(center + scale * machine.predict(new))
    return np.column_stack(predicted)


def elastic_net(train: np.ndarray, target: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Elastic net on all genes: L1 shares 0.1, 0.5 and 0.9, 15 penalties each."""
    from sklearn.linear_model import enet_path

    center = target.mean()
    residual, columns = target - center, np.asfortranarray(train)
    largest = np.abs(residual @ columns).max() / len(target)
    predicted = []
    for share in _SHARES:
        penalties = largest / share * _PATH
        _, coefficients, _ = enet_path(
            columns, residual, l1_ratio=share, alphas=penalties, tol=3e-3, max_iter=1000
        )
        predicted.append(center + test @ coefficients)
    return np.hstack(predicted)


def recursive_features(train: np.ndarray, target: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Laplace kernel machine that learns its features, one weight a gene.

    Recursive feature machine (Radhakrishnan et al., Science 2024, doi 10.1126/science.adi5639) with
    the diagonal of the average gradient outer product as weights. The width is the median distance
    of the training samples. Every round of learning is a setting, with every fourth penalty.
    """
    predicted = []
    for penalty in _FEATURE_PENALTIES:
        weights = np.ones(train.shape[1])
        for _ in range(_ROUNDS + 1):
            scaled = train * np.sqrt(weights)
            distances = np.sqrt(_squared_distances(scaled, scaled))
            width = np.median(distances[np.triu_indices(len(train), 1)])
            kernel = np.exp(-distances / width)
            across = np.sqrt(_squared_distances(test * np.sqrt(weights), scaled))
            centred, new = _centred(kernel, np.exp(-across / width))
            size = np.trace(centred) / len(centred)
            predicted.append(_kernel_ridge(centred / size, target, new / size, _PENALTIES[::4]))
            dual = _dual(centred / size, target, penalty) / size
            weights = _gradient_squares(train, weights, dual, kernel, distances * width)
    return np.hstack(predicted)


METHODS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "ridge": ridge,
    "PLS": partial_least_squares,
    "SVR": support_vectors,
    "elastic net": elastic_net,
    "RFM": recursive_features,
}


class SearchedPeer(RegressorMixin, BaseEstimator):
    """One of `METHODS`, with the setting of the least squared error on inner folds.

    Parameters
    ----------
    method
        Name in `METHODS`.
    scores
        Whether normal scores of the response are learned.
    random_state
        Seed of random inner folds.
    """

    def __init__(self, method: str, scores: bool = False, random_state: int = 0) -> None:
        self.method = method
        self.scores = scores
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: np.ndarray, groups: Any = None) -> Self:
        """Choose the setting; with groups, whole groups are held out inside as well."""
        self.values_ = np.asarray(X, dtype=np.float64)
        target = np.asarray(y, dtype=np.float64)
        self.target_ = normal_scores(target) if self.scores else target
        errors = 0.0
        for train, test in inner_splits(len(target), groups, self.random_state):
            predicted = self._predicted(train, self.values_[test])
            errors = errors + ((predicted - self.target_[test][:, None]) ** 2).sum(axis=0)
        self.setting_ = int(np.argmin(errors))
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Fit on all training samples and predict."""
        rows = np.arange(len(self.target_))
        return self._predicted(rows, np.asarray(X, dtype=np.float64))[:, self.setting_]

    def _predicted(self, rows: np.ndarray, test: np.ndarray) -> np.ndarray:
        train = self.values_[rows]
        center, spread = train.mean(axis=0), train.std(axis=0)
        spread[spread < 1e-9] = np.inf
        standard = (train - center) / spread, self.target_[rows], (test - center) / spread
        return self._fitted(*standard)

    def _fitted(self, train: np.ndarray, target: np.ndarray, test: np.ndarray) -> np.ndarray:
        return METHODS[self.method](train, target, test)


class EvidenceWeightedRidge(SearchedPeer):
    """Ridge whose penalty falls with the strength of evidence, and nothing else.

    What anybody would write who has evidence and an afternoon: the variance of a coefficient is a
    mixture of one for all genes and one in proportion to the strength of evidence. The share and
    the penalty have the least squared error on inner folds; signs are not used.

    Parameters
    ----------
    evidence
        `GeneEvidence`.
    scores, random_state
        See `SearchedPeer`.
    """

    def __init__(self, evidence: Any, scores: bool = False, random_state: int = 0) -> None:
        super().__init__("ridge", scores, random_state)
        self.evidence = evidence

    def fit(self, X: pd.DataFrame, y: np.ndarray, groups: Any = None) -> Self:
        """Choose share and penalty; with groups, whole groups are held out inside as well."""
        self.strength_ = np.abs(self.evidence.for_genes(list(X.columns)))
        return super().fit(X, y, groups)

    def _fitted(self, train: np.ndarray, target: np.ndarray, test: np.ndarray) -> np.ndarray:
        kernels = []
        for variance in (np.ones(train.shape[1]), self.strength_):
            gram = (train * variance) @ train.T
            size = max(np.trace(gram) / len(gram), 1e-12)
            kernels.append((gram / size, (test * variance) @ train.T / size))
        (plain, plain_new), (known, known_new) = kernels
        predicted = [
            _kernel_ridge(
                (1 - share) * plain + share * known,
                target,
                (1 - share) * plain_new + share * known_new,
                _PENALTIES,
            )
            for share in _EVIDENCE_SHARES
        ]
        return np.hstack(predicted)


class InnerFolds:
    """Inner folds for scikit-learn's searches: groups held out when there are any.

    Parameters
    ----------
    count
        How many folds; no more than there are groups.
    random_state
        Seed of random folds.
    """

    def __init__(self, count: int, random_state: int) -> None:
        self.count, self.random_state = count, random_state

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Any]:
        """Yield training and test positions."""
        return inner_splits(len(X), groups, self.random_state, self.count)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return how many folds there are."""
        return self.count if groups is None else min(self.count, len(np.unique(groups)))


def inner_splits(
    samples: int, groups: Sequence[Any] | None, random_state: int, count: int = INNER_FOLDS
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield inner folds: random ones, or whole groups where groups are given."""
    places = np.zeros(samples)
    if groups is None or len(np.unique(groups)) < 2:
        yield from KFold(count, shuffle=True, random_state=random_state).split(places)
    else:
        folds = min(count, len(np.unique(groups)))
        yield from GroupKFold(folds).split(places, groups=groups)


def _kernel_ridge(
    gram: np.ndarray, target: np.ndarray, new: np.ndarray, penalties: np.ndarray
) -> np.ndarray:
    values, vectors = eigh(gram, driver="evd")
    along = (vectors.T @ (target - target.mean()))[:, None]
    return target.mean() + (new @ vectors) @ (along / (np.maximum(values, 0)[:, None] + penalties))


def _dual(gram: np.ndarray, target: np.ndarray, penalty: float) -> np.ndarray:
    centred = target - target.mean()
    return np.linalg.solve(gram + penalty * np.eye(len(gram)), centred)


def _squared_distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1) - 2 * left @ right.T
    # rounding leaves a sample at some distance from itself
    return np.where(squares > 1e-9 * squares.max(initial=0.0), squares, 0.0)


def _centred(kernel: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    means = kernel.mean(axis=0)
    rows = new.mean(axis=1, keepdims=True)
    return kernel - means - means[:, None] + means.mean(), new - means - rows + means.mean()


def _gradient_squares(
    train: np.ndarray,
    weights: np.ndarray,
    dual: np.ndarray,
    kernel: np.ndarray,
    steepness: np.ndarray,
) -> np.ndarray:
    """Mean square of each gene's derivative over the training samples, 1 on average."""
    pull = np.divide(dual * kernel, steepness, out=np.zeros_like(kernel), where=steepness > 0)
    gradients = (pull @ train - pull.sum(axis=1)[:, None] * train) * weights
    squares = (gradients**2).mean(axis=0)
    return squares / squares.mean() if squares.mean() > 0 else np.ones(len(squares))
