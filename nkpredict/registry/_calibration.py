"""A calibration as plain numbers, kept beside the model that was calibrated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from math import nan

import numpy as np

from nkpredict.errors import BundleError, InputError
from nkpredict.facts import CalibrationGainFacts
from nkpredict.io import to_json
from nkpredict.learn import CalibratedModel, GeneModel, RisingLine

_FILE = "calibration.json"


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
        stored = json.loads(contents[_FILE])
        parts = {**stored["line"], "covariance": np.array(stored["line"]["covariance"])}
        if parts["covariance"].shape != (2, 2):
            raise ValueError("the covariance is not that of a level and a slope")
        width = stored["typical_width"]
        return CalibratedModel(model, stored["same_unit"]).restored(
            RisingLine(**parts),
            float(stored["centre"]),
            nan if width is None else float(width),
            CalibrationGainFacts.from_json(stored["gain"]),
        )
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise BundleError(f"The parts of the calibration do not fit ({error!r}).") from error
