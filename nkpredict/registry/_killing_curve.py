"""A killing curve as plain numbers and text, kept beside the susceptibility model it rests on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from sklearn.base import clone

from nkpredict.errors import BundleError, in_words
from nkpredict.io import to_json
from nkpredict.learn import GeneModel, KillingCurveModel, NKSusceptibilityModel
from nkpredict.registry._checks import checked_numbers
from nkpredict.registry._contents import json_from
from nkpredict.registry._state import (
    file_names,
    files_of,
    model_from,
    state_from,
    state_of,
)

_CURVE = "curve.json"
_COMPONENT = "component-"
# Curves are % viability; beyond this their arithmetic overflows.
_MOST_RATIOS, _LARGEST = 1_000, 1e9


def curve_files(curve: KillingCurveModel) -> dict[str, bytes]:
    """Return what a curve adds to the files of its susceptibility model.

    Parameters
    ----------
    curve
        Fitted model.

    Returns
    -------
    dict
        File name → content: ``curve.json`` with ratios, shape and component, and
        ``component-model.json``, ``component-arrays.npz`` and ``component-trees-*.txt`` when the
        component is predicted.
    """
    files, trees = {}, None
    if curve.component_model_ is not None:
        state = state_of(curve.component_model_)
        files, trees = files_of(state, _COMPONENT), len(state.trees)
    # JSON writes the shortest digits that read back as the same number
    settings = {
        "ratios": curve.ratios_,
        "shape": curve.shape_,
        "component": curve.component_,
        "component_skill": curve.component_skill_,
        "component_trees": trees,
    }
    return {_CURVE: to_json(settings).encode(), **files}


def curve_file_names(listed: Collection[str]) -> list[str]:
    """Return those of the listed files that a curve may have, the component's trees in order."""
    if _CURVE not in listed:
        return []
    trees = sum(name.startswith(f"{_COMPONENT}trees-") for name in listed)
    component = file_names(trees, _COMPONENT) if f"{_COMPONENT}model.json" in listed else []
    return [_CURVE, *component]


def curve_from(contents: Mapping[str, bytes], model: GeneModel) -> KillingCurveModel | None:
    """Put a curve together again; None when the files hold none.

    Parameters
    ----------
    contents
        Files of the bundle.
    model
        The susceptibility model of the bundle.

    Raises
    ------
    BundleError
        When parts are missing or do not fit each other.
    """
    if _CURVE not in contents:
        return None
    try:
        return _rebuild(json_from(contents[_CURVE], _CURVE), contents, model)
    except Exception as error:  # whatever a damaged part does to the code that reads it
        raise BundleError(
            f"The parts of the killing curve do not fit ({in_words(error)})."
        ) from error


def _rebuild(
    settings: Mapping[str, Any], contents: Mapping[str, bytes], model: GeneModel
) -> KillingCurveModel:
    curve = KillingCurveModel(clone(model))
    curve.model_ = _susceptibility_model(model)
    curve.ratios_, curve.shape_, curve.component_ = (
        np.array(settings[name], dtype=float) for name in ("ratios", "shape", "component")
    )
    above = len(curve.ratios_) - 1
    shapes = (curve.shape_.shape[1:], curve.component_.shape)
    if not 0 < above <= _MOST_RATIOS or shapes != ((above,), (above,)) or not len(curve.shape_):
        raise ValueError(f"shape or component is not that of {above} ratios")
    numbers = (curve.ratios_, curve.shape_, curve.component_)
    if not all((np.abs(values) <= _LARGEST).all() for values in numbers):
        raise ValueError("ratios, shape or component are not finite, or too large")
    if curve.ratios_[0] != 0 or (np.diff(curve.ratios_) <= 0).any():
        raise ValueError("the ratios do not rise from 0")
    curve.component_skill_ = checked_numbers(settings["component_skill"], "component_skill")
    curve.component_model_ = None
    if settings["component_trees"] is not None:
        state = state_from(contents, settings["component_trees"], _COMPONENT)
        curve.component_model_ = _susceptibility_model(model_from(state))
    return curve


def _susceptibility_model(model: GeneModel) -> NKSusceptibilityModel:
    if not isinstance(model, NKSusceptibilityModel):
        raise ValueError(f"a curve does not rest on a {type(model).__name__}")
    return model
