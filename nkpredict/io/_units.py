"""Expression units: tell them from the values, bring them to a log2 scale, say what was done."""

from __future__ import annotations

from enum import StrEnum

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


def detect_unit(values: FloatArray, source: str) -> Unit:
    """Tell the unit of an expression matrix from its values.

    Parameters
    ----------
    values
        Samples × genes, any orientation; NaN allowed.
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
    present = values[np.isfinite(values)]
    lowest, highest = float(present.min()), float(present.max())
    whole = _share_of_whole_numbers(present) > 0.99
    if lowest < 0:
        if whole and highest > _LARGEST_LOG2:
            negative = int((present < 0).sum())
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
    lowest_expressed = float(np.quantile(present, 0.01, overwrite_input=True))
    return Unit.LOG2_INTENSITY if lowest_expressed > _LOWEST_INTENSITY else Unit.LOG2


def _share_of_whole_numbers(values: FloatArray) -> float:
    """Share of whole numbers, of some values at a time: the whole would be copied twice."""
    parts = np.array_split(values, max(1, values.size // _VALUES_AT_ONCE))
    return sum(int((part == np.round(part)).sum()) for part in parts) / values.size


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
    if float(np.nanmin(values)) < 0:
        raise InputError(
            f"{source} is given as {UNIT_WORDS[unit]} but has negative values (lowest "
            f"{float(np.nanmin(values)):.4g}); expected values of 0 and above. Name another unit."
        )
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
