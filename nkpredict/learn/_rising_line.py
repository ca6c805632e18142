"""A rising straight line through few points: its posterior under an informative prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t

from nkpredict.types import FloatArray

_NODES = 1000
"""Points of equal probability at which the slope is summed over; set by hand."""


@dataclass(frozen=True)
class LinePrior:
    """What is thought of a line before its points are seen.

    Attributes
    ----------
    level, level_sd
        Value of the line at 0: mean and standard deviation.
    slope, slope_sd
        Its slope: mean and standard deviation, before slopes below 0 are excluded.
    noise
        Standard deviation of the points about the line.
    noise_weight
        Number of points that this is worth.
    """

    level: float
    level_sd: float
    slope: float
    slope_sd: float
    noise: float
    noise_weight: float


@dataclass(frozen=True)
class RisingLine:
    """Posterior of a line whose slope is above 0.

    Attributes
    ----------
    level, slope
        Posterior means.
    covariance
        Posterior covariance of level and slope, shape (2, 2).
    noise_variance
        Posterior mean of the variance of points about the line.
    freedom
        Degrees of freedom of Student's t distribution that stands for the posterior.
    falling
        Probability that the slope is below 0, before such slopes are excluded.
    """

    level: float
    slope: float
    covariance: FloatArray
    noise_variance: float
    freedom: float
    falling: float

    @classmethod
    def through(
        cls, x: FloatArray, y: FloatArray, prior: LinePrior, spread: FloatArray
    ) -> RisingLine:
        """Return the posterior given points.

        The prior is the conjugate one of a linear regression, normal for the line given the noise
        and inverse gamma for its variance, so that level and slope are distributed as Student's t
        (Gelman et al., Bayesian Data Analysis, 3rd edition 2013, section 14.8). Slopes below 0 are
        excluded: given the slope the moments of all else are known, and they are averaged over
        quantiles of the slope.

        Parameters
        ----------
        x, y
            Points, shape (n,).
        prior
            See `LinePrior`.
        spread
            Standard deviation of each point about the line, relative to that of the prior,
            shape (n,).
        """
        design = np.column_stack([np.ones(len(x)), x]) / spread[:, None]
        target = y / spread
        mean = np.array([prior.level, prior.slope])
        precision = np.diag((prior.noise / np.array([prior.level_sd, prior.slope_sd])) ** 2)
        posterior = precision + design.T @ design
        line = np.linalg.solve(posterior, precision @ mean + design.T @ target)
        freedom = prior.noise_weight + len(x)
        left = target @ target + mean @ precision @ mean - line @ posterior @ line
        scale = (prior.noise_weight * prior.noise**2 + max(left, 0.0)) / freedom
        shape = np.linalg.inv(posterior)
        slope_scale = np.sqrt(scale * shape[1, 1])
        falling = float(student_t.cdf(-line[1] / slope_scale, freedom))
        parts = falling + (1 - falling) * (np.arange(_NODES) + 0.5) / _NODES
        distance = student_t.ppf(parts, freedom)
        slopes = line[1] + slope_scale * distance
        # given the slope: level on its regression, noise by how far out the slope lies
        along = shape[0, 1] / shape[1, 1]
        levels = line[0] + along * (slopes - line[1])
        noise = float(np.mean(scale * (freedom + distance**2) / (freedom - 1)))
        covariance = np.cov(np.vstack([levels, slopes]), bias=True)
        covariance[0, 0] += noise * (shape[0, 0] - along * shape[0, 1])
        return cls(
            level=float(levels.mean()),
            slope=float(slopes.mean()),
            covariance=covariance,
            noise_variance=noise,
            freedom=freedom,
            falling=falling,
        )

    def at(self, x: FloatArray) -> FloatArray:
        """Return the expected value at points, shape (n,)."""
        return self.level + self.slope * x

    def half_width(self, x: FloatArray, spread: FloatArray, coverage: float) -> FloatArray:
        """Return half the width of the interval that holds a new point, shape (n,).

        Parameters
        ----------
        x
            Where, shape (n,).
        spread
            As for `through`.
        coverage
            Share of new points to hold.
        """
        (level, both), (_, slope) = self.covariance
        variance = level + 2 * both * x + slope * x**2 + self.noise_variance * spread**2
        quantile = student_t.ppf((1 + coverage) / 2, self.freedom)
        # a t distribution of this variance
        return np.asarray(quantile * np.sqrt(variance * (self.freedom - 2) / self.freedom))
