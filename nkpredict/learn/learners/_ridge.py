"""Ridge regression whose penalty falls where a gene goes with the response, or screens name it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import eigh, solve

from nkpredict.learn.learners._evidence import Evidence, signed_evidence
from nkpredict.learn.learners._importance import (
    adaptive_importance,
    scaled_importance,
    sums_of_squares,
)
from nkpredict.learn.learners._linear import LinearLearner, left_out_errors
from nkpredict.types import FloatArray

_FOLDS = 5  # set by hand
# A mixture with evidence must lower the cross-validated error by this share to replace none; see
# docs/decisions/005.
_LEAST_GAIN = 0.03


class _Diagonal(NamedTuple):
    """Part of the prior covariance of the coefficients: a variance for each gene."""

    importance: FloatArray

    def projected(self, rows: FloatArray) -> FloatArray:
        """Return what the rows are in this part's terms; its products are the kernel."""
        return rows * np.sqrt(self.importance)

    def coefficients(self, pull: FloatArray) -> FloatArray:
        return self.importance * pull


class _Direction(NamedTuple):
    """Part of the prior covariance of the coefficients: one direction."""

    direction: FloatArray

    def projected(self, rows: FloatArray) -> FloatArray:
        """Return what the rows are in this part's terms; its products are the kernel."""
        return (rows @ self.direction)[:, None]

    def coefficients(self, pull: FloatArray) -> FloatArray:
        return self.direction * float(self.direction @ pull)


class EvidenceRidge(LinearLearner):
    """Linear model in the dual, with screens as a prior that is trusted as far as it helps.

    Genes are penalised the less, the more they go with the response (see
    `adaptive_importance`). Evidence adds two parts to that prior: a
    lower penalty in proportion to the strength of evidence, and one direction along the signed
    evidence. How much of each is chosen by cross-validation within the training samples, with the
    importance of genes learned anew in each fold; none is always among the choices and stays
    unless another one is clearly better, so evidence that does not help is left aside.

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

    Attributes
    ----------
    coef_ : numpy.ndarray
        Change of the prediction per standard deviation of each gene, shape (n_genes,).
    intercept_ : float
        Prediction for the average training profile.
    mean_, scale_ : numpy.ndarray
        Mean and standard deviation of each gene in the training data.
    penalty_, trust_, direction_ : float
        The choices made.
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
        powers: Sequence[float] = (2.0, 4.0),
        penalties: Sequence[float] = (1.0,),
        random_state: int = 0,
    ) -> None:
        self.evidence = evidence
        self.trust = trust
        self.direction = direction
        self.powers = powers
        self.penalties = penalties
        self.random_state = random_state

    def diagnostics(self) -> dict[str, float]:
        """Return the share of the prior that evidence strength was given."""
        return {"evidence_trust": self.trust_}

    def _fit_rows(
        self, rows: FloatArray, residual: FloatArray, root: FloatArray, genes: pd.Index
    ) -> None:
        signed = signed_evidence(self.evidence, genes)
        penalties = np.asarray(self.penalties, dtype=float)
        mixtures = self._mixtures(bool(np.any(signed)))
        gram = _gram(rows)
        errors = np.zeros((1, 1))
        if len(mixtures) > 1 or len(penalties) > 1:
            errors = self._cross_validated(rows, gram, residual, root, signed, mixtures)
        best = errors.min(axis=1)
        selected = 0
        for number in range(1, len(mixtures)):
            if best[number] < best[selected] * (1 - _LEAST_GAIN * (selected == 0)):
                selected = number
        self.trust_, self.direction_ = mixtures[selected]
        parts = self._parts(rows, gram, residual, signed)
        gram = _mixed(mixtures[selected], [_gram(part.projected(rows)) for part in parts])
        self.penalty_ = float(penalties[errors[selected].argmin()])
        if len(penalties) > 1:
            left_out = left_out_errors(gram, residual, root, penalties)
            self.penalty_ = float(np.sqrt(self.penalty_ * penalties[left_out.argmin()]))
        gram[np.diag_indices_from(gram)] += self.penalty_
        pull = solve(gram, residual, assume_a="pos") @ rows
        self.coef_ = _mixed(mixtures[selected], [part.coefficients(pull) for part in parts])

    def _parts(
        self, rows: FloatArray, gram: FloatArray, residual: FloatArray, signed: FloatArray
    ) -> list[_Diagonal | _Direction]:
        parts: list[_Diagonal | _Direction] = [
            _Diagonal(adaptive_importance(rows, gram, residual, self.powers))
        ]
        if np.any(signed):
            squares = sums_of_squares(rows)
            parts.append(_Diagonal(scaled_importance(np.abs(signed), squares, len(rows))))
            along = rows @ signed
            size = float(np.sqrt(along @ along / len(along)))
            parts.append(_Direction(signed / size if size > 0 else signed))
        return parts

    def _mixtures(self, has_evidence: bool) -> list[tuple[float, float]]:
        if not has_evidence:
            return [(0.0, 0.0)]
        choices = [
            (t, d)
            for t in sorted({0.0, *self.trust})
            for d in sorted({0.0, *self.direction})
            if t + d <= 1
        ]
        return sorted(choices, key=sum)

    def _cross_validated(
        self,
        rows: FloatArray,
        gram: FloatArray,
        residual: FloatArray,
        root: FloatArray,
        signed: FloatArray,
        mixtures: list[tuple[float, float]],
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
            known = rows[train]
            parts = self._parts(known, gram[np.ix_(train, train)], centred, signed)
            within, across = [], []
            for part in parts:
                projected = part.projected(known)
                within.append(_gram(projected))
                across.append(part.projected(rows[test]) @ projected.T)
            for number, shares in enumerate(mixtures):
                eigenvalues, vectors = eigh(_mixed(shares, within), driver="evd")
                damped = (vectors.T @ centred)[:, None] / (
                    np.maximum(eigenvalues, 0)[:, None] + penalties
                )
                predicted = (_mixed(shares, across) @ vectors) @ damped
                errors[number] += ((predicted - expected[:, None]) ** 2).sum(axis=0)
        return errors


def _gram(rows: FloatArray) -> FloatArray:
    # a matrix times its own transpose costs half
    return rows @ rows.T


def _mixed(shares: tuple[float, float], parts: list[FloatArray]) -> FloatArray:
    weights = (1 - sum(shares), *shares)[: len(parts)]
    weighted = [weight * part for weight, part in zip(weights, parts, strict=True)]
    return np.asarray(np.sum(weighted, axis=0))
