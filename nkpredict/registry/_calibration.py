"""A calibration as plain numbers, kept beside the model that was calibrated."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from math import nan
from typing import Any

import numpy as np

from nkpredict.errors import BundleError, in_words
from nkpredict.facts import CalibrationGainFacts
from nkpredict.io import to_json
from nkpredict.learn import CalibratedModel, GeneModel, RisingLine
from nkpredict.registry._checks import checked_number
from nkpredict.registry._contents import json_from

_FILE = "calibration.json"
_PARTS = {"line", "centre", "typical_width", "same_unit", "gain"}
# Beyond this the arithmetic of intervals overflows.
_LARGEST = 1e100


def calibration_files(model: CalibratedModel) -> dict[str, bytes]:
    """Return what a calibration adds to the files of its model, file name → content."""
    # JSON writes the shortest digits that read back as the same number
    content = {
        "line": asdict(model.line_),
        "centre": model.centre_,
        "typical_width": model.typical_width_,
        "same_unit": model.same_unit,
        "gain": model.gain_.to_json(),
    }
    return {_FILE: to_json(content).encode()}


def calibration_file_names(listed: Collection[str]) -> list[str]:
    """Return those of the listed files that a calibration has."""
    return [_FILE] if _FILE in listed else []


def calibrated_from(contents: Mapping[str, bytes], model: GeneModel) -> GeneModel:
    """Put a calibrated model together again; the model as it is when the files hold none.

    Raises
    ------
    BundleError
        When parts are missing or do not fit each other.
    """
    if _FILE not in contents:
        return model
    try:
        return _rebuild(json_from(contents[_FILE], _FILE), model)
    except Exception as error:  # whatever a damaged part does to the code that reads it
        raise BundleError(
            f"The parts of the calibration do not fit ({in_words(error)})."
        ) from error


def _rebuild(stored: Mapping[str, Any], model: GeneModel) -> CalibratedModel:
    if set(stored) != _PARTS or not isinstance(stored["same_unit"], bool):
        raise ValueError(f"{_FILE} holds other parts than a calibration has")
    width = stored["typical_width"]
    return CalibratedModel(model, stored["same_unit"]).restored(
        _line(stored["line"]),
        _bounded(stored["centre"], "centre"),
        nan if width is None else _bounded(width, "typical_width", 0.0),
        CalibrationGainFacts.from_json(stored["gain"]),
    )


def _line(stored: Any) -> RisingLine:
    names = {part.name for part in fields(RisingLine)}
    if not isinstance(stored, dict) or set(stored) != names:
        raise ValueError("the line has other parts than a rising line has")
    numbers = {name: _bounded(stored[name], name) for name in names - {"covariance"}}
    rows = stored["covariance"]
    if not isinstance(rows, list) or [isinstance(row, list) and len(row) for row in rows] != [2, 2]:
        raise ValueError("the covariance is not that of a level and a slope")
    covariance = np.array([[_bounded(one, "covariance") for one in row] for row in rows])
    (level, both), (other, slope) = covariance
    symmetric = np.isclose(both, other, atol=0)
    if not symmetric or min(level, slope) < 0 or both**2 > level * slope * (1 + 1e-9):
        raise ValueError("the covariance is that of no two numbers")
    if numbers["slope"] <= 0 or numbers["noise_variance"] < 0 or numbers["freedom"] <= 2:
        raise ValueError("the line does not rise, or has no spread about it")
    if not 0 <= numbers["falling"] <= 1:
        raise ValueError(f"falling is {numbers['falling']}, expected a probability")
    return RisingLine(**numbers, covariance=covariance)


def _bounded(found: Any, what: str, least: float = -_LARGEST) -> float:
    number = checked_number(found, what, least)
    if abs(number) > _LARGEST:
        raise ValueError(f"{what} is {number}, expected {_LARGEST:g} at most")
    return number
