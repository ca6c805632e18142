"""Where things lie on a figure of the page: scales in per cent of its width."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scale:
    """A linear scale of susceptibility, as per cent of the width between two edges.

    Attributes
    ----------
    low, high
        Ends of the scale.
    ticks
        Round values between them.
    left, right
        Per cent of the width at which the scale begins and ends.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    left: float
    right: float

    @property
    def places(self) -> int:
        """Decimal places that tell neighbouring ticks apart."""
        gap = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else self.high - self.low
        return int(np.clip(np.ceil(-np.log10(gap) - 1e-9), 1, 5))

    def at(self, value: float) -> float:
        """Return the place of a value in per cent; beyond the scale, infinity too, at its end."""
        inside = min(max(value, self.low), self.high)
        share = (inside - self.low) / (self.high - self.low)
        return round(self.left + share * (self.right - self.left), 2)


def scale_over(
    values: Iterable[float], left: float = 3.0, right: float = 97.0, ticks: int = 5
) -> Scale:
    """Return a scale that holds all finite values, with a little room at its ends.

    Parameters
    ----------
    values
        Numbers to hold; NaN and infinity are left out.
    left, right
        Per cent of the width at which the scale begins and ends.
    ticks
        Largest number of intervals between ticks.
    """
    numbers = np.asarray(list(values), dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    low, high = (numbers.min(), numbers.max()) if len(numbers) else (0.0, 1.0)
    room = 0.04 * (high - low) if high - low > 1e-9 else 0.05
    low, high = float(low - room), float(high + room)
    return Scale(low, high, _round_values(low, high, ticks), left, right)


def _round_values(low: float, high: float, most: int) -> tuple[float, ...]:
    # Matplotlib's locator does the same, but importing it would double the time of a report.
    power = 10.0 ** np.floor(np.log10((high - low) / most))
    step = next(power * f for f in (1, 2, 5, 10) if power * f * most >= (high - low) * (1 - 1e-9))
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    return tuple(float(i * step) for i in range(first, last + 1))
