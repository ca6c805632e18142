"""Expression units: tell them from the values, bring them to a log2 scale, say what was done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np

from nkpredict.errors import InputError
from nkpredict.types import FloatArray


class Unit(StrEnum):
    """Units of expression."""

    COUNTS = "counts"
    TPM = "tpm"
    LINEAR = "linear"
    LOG2 = "log2"
    LOG2_INTENSITY = "log2_intensity"
    STANDARDISED = "standardised"


UNIT_WORDS = {
    Unit.COUNTS: "raw counts",
    Unit.TPM: "TPM",
    Unit.LINEAR: "linear expression (FPKM, RPKM or intensities)",
    Unit.LOG2: "log2(TPM + 1) or alike",
    Unit.LOG2_INTENSITY: "log2 microarray intensities (RMA or alike)",
    Unit.STANDARDISED: "standardised or centred values (z-scores)",
}

# Above this no log2 expression lies: log2 of a million TPM is 20, of 16-bit intensities 16.
_VALUES_AT_ONCE = 10_000_000  # set by hand
_LARGEST_LOG2 = 30.0
# Among up to 200 samples no z-score is larger; log2(TPM + 0.001) runs from -10 to 16 and more.
_LARGEST_Z = 14.0
# RMA background lies near 2 to 4; log2(TPM + 1) of unexpressed genes is 0.
_LOWEST_INTENSITY = 1.0


@dataclass(frozen=True)
class ValueSummary:
    """What tells the unit of an expression matrix; summaries of its parts add up.

    Attributes
    ----------
    count
        Values that are finite.
    lowest, highest
        Of them; infinite without any.
    whole, negative, low
        How many are whole numbers, below 0, and at or below the lowest background of intensities.
    highest_low, lowest_high
        Highest of the low values and lowest of the others.
    """

    count: int = 0
    lowest: float = np.inf
    highest: float = -np.inf
    whole: int = 0
    negative: int = 0
    low: int = 0
    highest_low: float = -np.inf
    lowest_high: float = np.inf

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Summarise values, some at a time: the whole would be copied several times."""
        total = cls()
        rows = max(1, _VALUES_AT_ONCE // max(values[:1].size, 1))
        for start in range(0, len(values), rows):
            part = values[start : start + rows]
            total += cls._of_some(part[np.isfinite(part)])
        return total

    @classmethod
    def _of_some(cls, present: FloatArray) -> Self:
        if not present.size:
            return cls()
        low = present <= _LOWEST_INTENSITY
        return cls(
            count=present.size,
            lowest=float(present.min()),
            highest=float(present.max()),
            whole=int((present == np.round(present)).sum()),
            negative=int((present < 0).sum()),
            low=int(low.sum()),
            highest_low=float(present.max(where=low, initial=-np.inf)),
            lowest_high=float(present.min(where=~low, initial=np.inf)),
        )

    def __add__(self, other: Self) -> Self:
        """Return the summary of both parts."""
        return type(self)(
            count=self.count + other.count,
            lowest=min(self.lowest, other.lowest),
            highest=max(self.highest, other.highest),
            whole=self.whole + other.whole,
            negative=self.negative + other.negative,
            low=self.low + other.low,
            highest_low=max(self.highest_low, other.highest_low),
            lowest_high=min(self.lowest_high, other.lowest_high),
        )

    @property
    def background_is_high(self) -> bool:
        """Whether the quantile of 0.01 lies above the lowest background of intensities."""
        place = 0.01 * (self.count - 1)
        if self.low != int(place) + 1:
            return self.low <= place
        between = (self.lowest_high - self.highest_low) * (place - int(place))
        return self.highest_low + between > _LOWEST_INTENSITY


def detect_unit(values: FloatArray | ValueSummary, source: str) -> Unit:
    """Tell the unit of an expression matrix from its values.

    Parameters
    ----------
    values
        Samples × genes, any orientation, NaN allowed; or their summary.
    source
        Name of the file, for messages.

    Returns
    -------
    str
        One of the keys of ``UNIT_WORDS``.

    Raises
    ------
    InputError
        When the matrix looks like counts or intensities but has negative entries.
    """
    found = values if isinstance(values, ValueSummary) else ValueSummary.of(values)
    lowest, highest = found.lowest, found.highest
    whole = found.whole / max(found.count, 1) > 0.99
    if lowest < 0:
        if whole and highest > _LARGEST_LOG2:
            negative = found.negative
            raise InputError(
                f"{source} looks like raw counts (whole numbers up to {highest:,.0f}) but has "
                f"{negative:,} negative value{'s' if negative > 1 else ''} (lowest "
                f"{lowest:,.0f}); counts cannot be negative. Export the raw counts again, or name "
                "the unit with --unit."
            )
        if highest > _LARGEST_LOG2:
            raise InputError(
                f"{source} has values from {lowest:.4g} to {highest:,.4g}, as intensities with the "
                "background taken off; expected values of 0 and above there. Set the negative ones "
                "to 0 or normalise anew, or name the unit with --unit."
            )
        return Unit.LOG2 if highest > _LARGEST_Z else Unit.STANDARDISED
    if whole and highest > _LARGEST_LOG2:
        return Unit.COUNTS
    if highest > _LARGEST_LOG2:
        return Unit.LINEAR
    return Unit.LOG2_INTENSITY if found.background_is_high else Unit.LOG2


def refine_linear(values: FloatArray) -> Unit:
    """Tell TPM (every sample sums to one million) from other linear units.

    Parameters
    ----------
    values
        Samples × genes on a linear scale.
    """
    totals = np.nansum(values, axis=1, dtype=np.float64)
    # A tenth of slack: rounding, and files cut down to the protein-coding genes.
    return Unit.TPM if np.all((totals > 0.9e6) & (totals < 1.1e6)) else Unit.LINEAR


def check_unit(unit: str) -> Unit:
    """Return the unit when it is a known one.

    Raises
    ------
    InputError
        When it is not.
    """
    if unit not in set(Unit):
        raise InputError(f"The unit {unit!r} is unknown; expected one of {', '.join(Unit)}.")
    return Unit(unit)


def to_log2(values: FloatArray, unit: Unit, source: str) -> tuple[FloatArray, str]:
    """Bring expression to a log2 scale, each sample by itself.

    Parameters
    ----------
    values
        float32, samples × genes, in ``unit``.
    unit
        Unit of the values.
    source
        Name of the file, for messages.

    Returns
    -------
    values : numpy.ndarray
        float32, samples × genes.
    transform : str
        What was done, in words.

    Raises
    ------
    InputError
        When linear values are negative or a sample has no counts at all.
    """
    if unit in (Unit.LOG2, Unit.LOG2_INTENSITY, Unit.STANDARDISED):
        return values, "none"
    require_not_negative(float(np.nanmin(values)), unit, source)
    if unit != Unit.COUNTS:
        return np.log2(values + np.float32(1)), "log2(x + 1)"
    totals = np.nansum(values, axis=1, dtype=np.float64)
    if (totals == 0).any():
        raise InputError(
            f"{source} has {int((totals == 0).sum())} samples without a single read; "
            "remove them and read the file again."
        )
    per_million = values * np.asarray(1e6 / totals, dtype=np.float32)[:, None]
    return np.log2(per_million + np.float32(1)), "log2(counts per million + 1), no gene length"


def require_not_negative(lowest: float, unit: Unit, source: str) -> None:
    """Refuse values below 0 in a unit that has none.

    Raises
    ------
    InputError
        When there are any.
    """
    if lowest < 0 and unit in (Unit.COUNTS, Unit.TPM, Unit.LINEAR):
        raise InputError(
            f"{source} is given as {UNIT_WORDS[unit]} but has negative values (lowest "
            f"{lowest:.4g}); expected values of 0 and above. Name another unit."
        )
