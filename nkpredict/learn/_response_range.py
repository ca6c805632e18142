"""Predictions that stay inside the responses that were seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from nkpredict.types import FloatArray

_BEND = 0.05
"""Part of the range, at each end, in which values are bent; set by hand."""


@dataclass(frozen=True)
class ResponseRange:
    """Lowest and highest response of the training samples; infinite ends bound nothing.

    Learners add up genes without an end, and a sum may leave what can be measured. Near an end, and
    beyond it, `bent` puts a hyperbola in place of the straight line: values keep their order, none
    reaches the end, and all others stay as they are.
    """

    low: float
    high: float

    @classmethod
    def of(cls, response: FloatArray) -> Self:
        """Return the range of measured responses."""
        return cls(float(response.min()), float(response.max()))

    def bent(self, values: FloatArray) -> FloatArray:
        """Return values inside the range, in the same order."""
        width = _BEND * (self.high - self.low)
        if not np.isfinite(width) or width == 0:
            return values
        below, above = self.low + width - values, values - self.high + width
        return np.where(
            below > 0,
            self.low + width**2 / (width + np.maximum(below, 0.0)),
            np.where(above > 0, self.high - width**2 / (width + np.maximum(above, 0.0)), values),
        )
