"""Ridge regression in the dual whose penalty falls where screens have evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nkpredict.learn.evidence import Evidence, signed_evidence
from nkpredict.learn.linear import PENALTIES, DualFit, LinearLearner, best_penalty, scaled_gram


class EvidenceRidge(LinearLearner):
    """Linear model in the dual, with screens as a prior that is trusted as far as it helps.

    The Gram matrix is a mixture: all genes alike, genes in proportion to the strength of their
    evidence, and one direction along the signed evidence. How much of each, and the penalty, are
    chosen by the closed-form leave-one-out error. A share of 0 is always among the choices, so
    evidence that does not help is left aside.

    Parameters
    ----------
    evidence
        `GeneEvidence`, `ScreenTable`, array of signed evidence in gene order, or None.
    trust
        Shares of the Gram matrix that evidence strength may take; 0 is added when absent.
    direction
        Shares that the signed direction may take; 0 is added when absent.
    penalties
        Candidate penalties, relative to the mean eigenvalue of the Gram matrix.

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

    def __init__(
        self,
        evidence: Evidence = None,
        trust: Sequence[float] = (0.0, 0.3, 0.6, 0.9),
        direction: Sequence[float] = (0.0, 0.2, 0.5),
        penalties: Sequence[float] = PENALTIES,
    ) -> None:
        self.evidence = evidence
        self.trust = trust
        self.direction = direction
        self.penalties = penalties

    def _fit_rows(
        self, rows: np.ndarray, residual: np.ndarray, root: np.ndarray, genes: Any
    ) -> None:
        signed = signed_evidence(self.evidence, genes)
        parts = _gram_parts(rows, signed)
        best: tuple[DualFit, float, float] | None = None
        for trust, direction in _mixtures(self.trust, self.direction, len(parts) > 1):
            shares = _shares(trust, direction, len(parts))
            gram = np.sum([s * part for s, (part, _) in zip(shares, parts, strict=True)], axis=0)
            fit = best_penalty(gram, residual, root, tuple(self.penalties))
            # The simpler mixture stays on a tie.
            if best is None or fit.error < best[0].error * (1 - 1e-9):
                best = fit, trust, direction
        assert best is not None, "there is always the mixture without evidence"  # noqa: S101
        fit, self.trust_, self.direction_ = best
        self.left_out_error_, self.penalty_ = fit.error, fit.penalty
        shares = _shares(self.trust_, self.direction_, len(parts))
        self.coef_ = _coefficients(rows, fit.dual, signed, shares, parts)


def _gram_parts(rows: np.ndarray, signed: np.ndarray) -> list[tuple[np.ndarray, float]]:
    parts = [scaled_gram(rows)]
    if np.any(signed):
        known = np.flatnonzero(signed)
        # The penalty of a gene falls with the strength of its evidence.
        parts.append(scaled_gram(rows[:, known] * np.sqrt(np.abs(signed[known]))))
        parts.append(scaled_gram((rows[:, known] @ signed[known])[:, None]))
    return parts


def _mixtures(
    trust: Sequence[float], direction: Sequence[float], has_evidence: bool
) -> list[tuple[float, float]]:
    if not has_evidence:
        return [(0.0, 0.0)]
    choices = [
        (t, d) for t in sorted({0.0, *trust}) for d in sorted({0.0, *direction}) if t + d <= 1
    ]
    return sorted(choices, key=sum)


def _shares(trust: float, direction: float, count: int) -> tuple[float, ...]:
    return (1 - trust - direction, trust, direction)[:count]


def _coefficients(
    rows: np.ndarray,
    dual: np.ndarray,
    signed: np.ndarray,
    shares: tuple[float, ...],
    parts: list[tuple[np.ndarray, float]],
) -> np.ndarray:
    pull = rows.T @ dual
    coefficients = shares[0] / parts[0][1] * pull
    if len(parts) > 1:
        coefficients += shares[1] / parts[1][1] * np.abs(signed) * pull
        coefficients += shares[2] / parts[2][1] * signed * float(signed @ pull)
    return coefficients
