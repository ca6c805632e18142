"""Prediction intervals from the responses of samples that a model had not seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import rankdata

from nkpredict.types import FloatArray

# Chosen on drug responses as docs/decisions/019 tells: standard deviation of the kernel over ranks
# from 0 to 1 where predictions rank perfectly, and by how much more the upper end reaches out than
# the lower one, since a sample taken for less sensitive than it is counts for more.
_BANDWIDTH = 0.1
_LEAST_SKILL = 0.05
_TILT = 0.02
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(7)


@dataclass(frozen=True, eq=False)
class HeldOutIntervals:
    """Quantiles of the response of samples whose held-out prediction was about the same.

    A kernel over the ranks of the predictions (Nadaraya-Watson, as Hall, Wolff & Yao, JASA 1999,
    doi 10.1080/01621459.1999.10473832, do for a conditional distribution) weighs the training
    samples, the wider the less the predictions rank; each response is moved along the line of
    response on prediction. So a prediction where responses scatter gets a wide interval, a skewed
    response a skewed one, predictions that say nothing the response's own quantiles, and no end
    lies beyond the responses seen. Which quantiles hold the coverage is read from the training
    samples left out in turn: distributional conformal prediction (Chernozhukov, Wüthrich & Zhu,
    PNAS 2021, doi 10.1073/pnas.2107794118). Choices and figures are in docs/decisions/019.

    It holds for samples drawn like those held out: for groups never seen when groups were held out
    as a whole, and not for another platform.

    Attributes
    ----------
    observed, predicted : numpy.ndarray
        Response and held-out prediction of each training sample.
    """

    observed: FloatArray
    predicted: FloatArray

    def ends(self, predicted: FloatArray, spread: FloatArray, coverage: float) -> FloatArray:
        """Return the lower and upper end for each prediction.

        Parameters
        ----------
        predicted
            Shape (n_samples,).
        spread
            Standard deviation of what each prediction would change if all were measured that the
            sample lacks, shape (n_samples,).
        coverage
            Share of new samples that the interval should hold.

        Returns
        -------
        numpy.ndarray
            Shape (n_samples, 2), each around its prediction, and never narrower than without the
            spread; NaN where there are too few samples for the coverage.
        """
        rank = math.ceil((len(self.observed) + 1) * coverage)
        if rank > len(self.observed):
            return np.full((len(predicted), 2), np.nan)
        reach = self._reach[rank - 1] * np.array([-1 + _TILT, 1 + _TILT])
        levels = np.clip(0.5 + reach, 0.0, 1.0)
        # one sample at a time: its interval must not depend on its company, to the last bit
        rows = [
            self._around(value, *(self._quantiles(value, s, levels) for s in {0.0, float(wide)}))
            for value, wide in zip(predicted, spread, strict=True)
        ]
        return np.reshape(rows, (len(predicted), 2))

    @cached_property
    def _reach(self) -> FloatArray:
        """How far from the median, in probability, each training sample lies among the others.

        In rising order, and above the median in units of the longer way.
        """
        levels = np.empty(len(self.observed))
        for sample, (seen, value) in enumerate(zip(self.observed, self.predicted, strict=True)):
            responses, weights = (part.ravel() for part in self._alike(value, 0.0))
            weights[sample] = 0.0
            below = weights @ (responses < seen) + 0.5 * weights @ (responses == seen)
            levels[sample] = below / weights.sum()
        return np.sort(np.abs(levels - 0.5) / (1 + _TILT * np.sign(levels - 0.5)))

    @cached_property
    def _places(self) -> FloatArray:
        """Rank of each held-out prediction, from 0 to 1."""
        return np.asarray((rankdata(self.predicted) - 0.5) / len(self.predicted))

    @cached_property
    def _slope(self) -> float:
        """Slope by which responses are moved with the prediction."""
        if np.ptp(self.predicted) == 0:
            return 0.0
        return max(float(np.polyfit(self.predicted, self.observed, 1)[0]), 0.0)

    @cached_property
    def _bandwidth(self) -> float:
        if np.ptp(self.predicted) == 0:
            return _BANDWIDTH / _LEAST_SKILL
        skill = float(np.corrcoef(self._places, rankdata(self.observed))[0, 1])
        return _BANDWIDTH / max(skill, _LEAST_SKILL)

    def _alike(self, predicted: float, spread: float) -> tuple[FloatArray, FloatArray]:
        """Return the training responses as they may be at a prediction, and their weights.

        A prediction that is not certain stands for the normal distribution around it, by
        Gauss-Hermite quadrature: nodes × training samples.
        """
        nodes = predicted + spread * _NODES if spread else np.array([predicted])
        known, first = np.unique(self.predicted, return_index=True)
        distance = np.interp(nodes, known, self._places[first])[:, None] - self._places
        weights = np.exp(-0.5 * (distance / self._bandwidth) ** 2)
        if spread:
            weights *= _NODE_WEIGHTS[:, None]
        moved = self.observed + self._slope * (nodes[:, None] - self.predicted)
        return np.clip(moved, self.observed.min(), self.observed.max()), weights

    def _quantiles(self, predicted: float, spread: float, levels: FloatArray) -> FloatArray:
        responses, weights = (part.ravel() for part in self._alike(predicted, spread))
        order = np.argsort(responses, kind="stable")
        below = np.cumsum(weights[order])
        middle = (below - 0.5 * weights[order]) / below[-1]
        return np.interp(levels, middle, responses[order])

    @staticmethod
    def _around(predicted: float, *ends: FloatArray) -> tuple[float, float]:
        lower, upper = zip(*ends, strict=True)
        return min(*lower, predicted), max(*upper, predicted)
