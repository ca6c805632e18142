"""A killing curve as plain numbers and text, kept beside the susceptibility model it rests on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone

from nkpredict.errors import BundleError
from nkpredict.io import to_json
from nkpredict.learn import GeneModel, KillingCurveModel, NKSusceptibilityModel
from nkpredict.registry._state import files_of, model_from, state_from, state_of

_CURVE = "curve.json"
_COMPONENT = "component-"


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
        return _rebuild(json.loads(contents[_CURVE]), contents, model)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"The parts of the killing curve do not fit ({error!r}).") from error


def _rebuild(
    settings: Mapping[str, Any], contents: Mapping[str, bytes], model: GeneModel
) -> KillingCurveModel:
    curve = KillingCurveModel(clone(model))
    curve.model_ = _susceptibility_model(model)
    curve.ratios_, curve.shape_, curve.component_ = (
        np.array(settings[name], dtype=float) for name in ("ratios", "shape", "component")
    )
    above = len(curve.ratios_) - 1
    if curve.shape_.shape[1:] != (above,) or curve.component_.shape != (above,):
        raise ValueError(f"shape or component is not that of {above} ratios")
    curve.component_skill_ = dict(settings["component_skill"])
    curve.component_model_ = None
    if settings["component_trees"] is not None:
        state = state_from(contents, int(settings["component_trees"]), _COMPONENT)
        curve.component_model_ = _susceptibility_model(model_from(state))
    return curve


def _susceptibility_model(model: GeneModel) -> NKSusceptibilityModel:
    if not isinstance(model, NKSusceptibilityModel):
        raise ValueError(f"a curve does not rest on a {type(model).__name__}")
    return model
