"""Ridge regression whose penalty falls where a gene goes with the response, or screens name it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import eigh, solve
from scipy.special import softmax

from nkpredict.learn.learners._evidence import Evidence, evidence_by_axis
from nkpredict.learn.learners._importance import (
    adaptive_importance,
    reach_of,
    scaled_importance,
    sums_of_squares,
)
from nkpredict.learn.learners._linear import LinearLearner, left_out_errors
from nkpredict.types import BoolArray, FloatArray

_FOLDS = 5  # set by hand
# Probability, before any sample is seen, that evidence says nothing about the response; see
# docs/decisions/030.
_NONE_HELPS = 0.8
# A mixture of less weight is not fitted: it would move nothing. Set by hand.
_LEAST_WEIGHT = 1e-3


class _Diagonal(NamedTuple):
    """Part of the prior covariance of the coefficients: a variance for each gene."""

    importance: FloatArray

    def projected(self, rows: FloatArray) -> FloatArray:
        """Return what the rows are in this part's terms; its products are the kernel."""
        return rows * np.sqrt(self.importance)

    def coefficients(self, pull: FloatArray) -> FloatArray:
        return self.importance * pull


class _Strength(_Diagonal):
    """A variance for each of the few genes that evidence names."""

    def projected(self, rows: FloatArray) -> FloatArray:
        """Return the rows of these genes alone."""
        named = np.flatnonzero(self.importance)
        return rows[:, named] * np.sqrt(self.importance[named])


class _Direction(NamedTuple):
    """Part of the prior covariance of the coefficients: one direction."""

    direction: FloatArray

    def projected(self, rows: FloatArray) -> FloatArray:
        """Return what the rows are in this part's terms; its products are the kernel."""
        return (rows @ self.direction)[:, None]

    def coefficients(self, pull: FloatArray) -> FloatArray:
        return self.direction * float(self.direction @ pull)


class _Mixture(NamedTuple):
    """Shares of the prior that a set of evidence takes: all of it (0), or one axis."""

    evidence: int
    trust: float
    direction: float


class EvidenceRidge(LinearLearner):
    """Linear model in the dual, with screens as a prior that is trusted as far as it helps.

    Genes are penalised the less, the more they go with the response and the further they move
    between samples (see `adaptive_importance`). Evidence adds two parts to that prior: a
    lower penalty in proportion to the strength of evidence, and one direction along the signed
    evidence. Shares of the parts are averaged, not chosen: each mixture counts by its likelihood
    on samples held out within the training samples, with the importance of genes learned anew in
    each fold. Whether evidence helps at all is asked apart from how far it is trusted: all mixtures
    with evidence together begin with one chance in five, so evidence that does not help is left
    aside; see docs/decisions/030.

    The penalty equals the mean eigenvalue of the Gram matrix: as much of the response is taken for
    noise as for signal. No way to choose it predicted better, see docs/decisions/028. Of several
    candidates the geometric mean of two is taken, the ones that cross-validation and the
    closed-form leave-one-out error choose: the latter has seen the importances and shrinks too
    little, the former has fewer samples and shrinks too much.

    Parameters
    ----------
    evidence
        `GeneEvidence`, `ScreenTable`, array of signed evidence in gene order, or None.
    trust
        Shares of the prior that evidence strength may take; 0 is added when absent.
    direction
        Shares that the signed direction may take; 0 is added when absent.
    powers
        Powers of the squared correlation with the response that weight a gene, averaged. The
        fewer the samples, the more alike all genes are weighted whatever the powers; see
        docs/decisions/004.
    penalties
        Candidate penalties, relative to the mean eigenvalue of the Gram matrix. One is taken as it
        is.
    random_state
        Seed of the folds.
    other_units
        Which features are no expression, such as mutations: how far they move cannot be compared.
        None for none.

    Attributes
    ----------
    coef_ : numpy.ndarray
        Change of the prediction per standard deviation of each gene, shape (n_genes,).
    intercept_ : float
        Prediction for the average training profile.
    mean_, scale_ : numpy.ndarray
        Mean and standard deviation of each gene in the training data.
    penalty_, trust_, direction_ : float
        Means of what was averaged.
    """

    name = "ridge"
    numbers = (*LinearLearner.numbers, "penalty_", "trust_", "direction_")
    prior_weight: ClassVar[float] = 4.0  # the trees count one fifth; see docs/decisions/006
    by_default: ClassVar[bool] = True

    def __init__(
        self,
        evidence: Evidence = None,
        trust: Sequence[float] = (0.0, 0.3, 0.6, 0.9),
        direction: Sequence[float] = (0.0, 0.2, 0.5),
        powers: Sequence[float] = (1.0, 2.0, 4.0),
        penalties: Sequence[float] = (1.0,),
        random_state: int = 0,
        other_units: BoolArray | None = None,
    ) -> None:
        self.evidence = evidence
        self.trust = trust
        self.direction = direction
        self.powers = powers
        self.penalties = penalties
        self.random_state = random_state
        self.other_units = other_units

    def diagnostics(self) -> dict[str, float]:
        """Return the share of the prior that evidence strength was given."""
        return {"evidence_trust": self.trust_}

    def _fit_rows(
        self, rows: FloatArray, residual: FloatArray, root: FloatArray, genes: pd.Index
    ) -> None:
        sets = evidence_by_axis(self.evidence, genes)
        penalties = np.asarray(self.penalties, dtype=float)
        mixtures = self._mixtures(len(sets))
        gram = _gram(rows)
        reach = reach_of(rows, root, self.scale_, self.other_units)
        errors = np.ones((1, 1))
        if len(mixtures) > 1 or len(penalties) > 1:
            errors = self._cross_validated(rows, gram, residual, root, reach, sets, mixtures)
        adaptive = _Diagonal(adaptive_importance(rows, gram, residual, self.powers, reach))
        plain = _gram(adaptive.projected(rows))
        coefficients, choices = [], []
        for number, weight in _weights(errors.min(axis=1), len(rows)):
            mixture = mixtures[number]
            parts = [adaptive, *_parts(rows, sets, mixture)]
            grams = [plain, *(_gram(part.projected(rows)) for part in parts[1:])]
            gram = _mixed(mixture, grams)
            penalty = float(penalties[errors[number].argmin()])
            if len(penalties) > 1:
                left_out = left_out_errors(gram, residual, root, penalties)
                penalty = float(np.sqrt(penalty * penalties[left_out.argmin()]))
            gram[np.diag_indices_from(gram)] += penalty
            pull = solve(gram, residual, assume_a="pos") @ rows
            fitted = _mixed(mixture, [part.coefficients(pull) for part in parts])
            coefficients.append(weight * fitted)
            choices.append(weight * np.array([penalty, mixture.trust, mixture.direction]))
        self.coef_ = np.asarray(np.sum(coefficients, axis=0))
        self.penalty_, self.trust_, self.direction_ = np.sum(choices, axis=0).tolist()

    def _mixtures(self, sets: int) -> list[_Mixture]:
        """Return no evidence, then all mixtures of each set of evidence."""
        shares = [
            (trust, direction)
            for trust in sorted({0.0, *self.trust})
            for direction in sorted({0.0, *self.direction})
            if 0 < trust + direction <= 1
        ]
        none = _Mixture(0, 0.0, 0.0)
        return [none, *(_Mixture(number, *share) for number in range(sets) for share in shares)]

    def _cross_validated(
        self,
        rows: FloatArray,
        gram: FloatArray,
        residual: FloatArray,
        root: FloatArray,
        reach: FloatArray,
        sets: list[FloatArray],
        mixtures: list[_Mixture],
    ) -> FloatArray:
        """Sum of squared errors on held-out samples, mixtures × penalties."""
        from sklearn.model_selection import KFold  # slow to import, and scoring needs none

        penalties = np.asarray(self.penalties, dtype=float)
        errors = np.zeros((len(mixtures), len(penalties)))
        folds = KFold(min(_FOLDS, len(rows)), shuffle=True, random_state=self.random_state)
        for train, test in folds.split(rows):
            weight_root = root[train]
            mean = float(weight_root @ residual[train]) / float(weight_root @ weight_root)
            centred = residual[train] - mean * weight_root
            expected = residual[test] - mean * root[test]
            known, new, within = rows[train], rows[test], gram[np.ix_(train, train)]
            importance = adaptive_importance(known, within, centred, self.powers, reach)
            plain = _kernels(_Diagonal(importance), known, new)
            before, kernels = -1, [plain]
            for number, mixture in enumerate(mixtures):
                if sets and mixture.evidence != before:
                    parts = _parts(known, sets, mixture)
                    kernels = [plain, *(_kernels(part, known, new) for part in parts)]
                    before = mixture.evidence
                inside, across = (
                    _mixed(mixture, list(both)) for both in zip(*kernels, strict=True)
                )
                predicted = across @ _dual(inside, centred, penalties)
                errors[number] += ((predicted - expected[:, None]) ** 2).sum(axis=0)
        return errors


def _parts(
    rows: FloatArray, sets: list[FloatArray], mixture: _Mixture
) -> list[_Diagonal | _Direction]:
    """Return what a set of evidence adds to the prior: its strength, and its direction."""
    if not sets:
        return []
    signed = sets[mixture.evidence]
    along = rows @ signed
    size = float(np.sqrt(along @ along / len(along)))
    strength = scaled_importance(np.abs(signed), sums_of_squares(rows), len(rows))
    return [_Strength(strength), _Direction(signed / size if size > 0 else signed)]


def _kernels(
    part: _Diagonal | _Direction, known: FloatArray, new: FloatArray
) -> tuple[FloatArray, FloatArray]:
    projected = part.projected(known)
    return _gram(projected), part.projected(new) @ projected.T


def _dual(gram: FloatArray, residual: FloatArray, penalties: FloatArray) -> FloatArray:
    """Dual coefficients of a ridge, samples × penalties."""
    if len(penalties) == 1:
        one = solve(gram + penalties * np.eye(len(gram)), residual, assume_a="pos")
        return np.asarray(one)[:, None]
    eigenvalues, vectors = eigh(gram, driver="evd")
    damped = (vectors.T @ residual)[:, None] / (np.maximum(eigenvalues, 0)[:, None] + penalties)
    return np.asarray(vectors @ damped)


def _weights(errors: FloatArray, samples: int) -> list[tuple[int, float]]:
    """Weigh each mixture by its likelihood on held-out samples; the first one has no evidence."""
    if len(errors) == 1:
        return [(0, 1.0)]
    prior = np.full(len(errors), (1 - _NONE_HELPS) / (len(errors) - 1))
    prior[0] = _NONE_HELPS
    # of a normal error of unknown variance; no error at all would be infinitely likely
    likelihood = -samples / 2 * np.log(np.maximum(errors, np.finfo(float).tiny))
    weights = softmax(np.log(prior) + likelihood)
    weights = np.where(weights < _LEAST_WEIGHT, 0.0, weights)
    weights /= weights.sum()
    return [(int(number), float(weights[number])) for number in np.flatnonzero(weights)]


def _gram(rows: FloatArray) -> FloatArray:
    # a matrix times its own transpose costs half
    return rows @ rows.T


def _mixed(mixture: _Mixture, parts: list[FloatArray]) -> FloatArray:
    shares = (1 - (mixture.trust + mixture.direction), mixture.trust, mixture.direction)
    weighted = [weight * part for weight, part in zip(shares, parts, strict=False)]
    return np.asarray(np.sum(weighted, axis=0))
