"""A fitted model as plain numbers and text, and back: no object of Python is ever stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import BundleError
from nkpredict.evidence import GeneEvidence
from nkpredict.features.harmonise import ProfileHarmoniser
from nkpredict.learn.boosting import EvidenceBoosting
from nkpredict.learn.core import BlendCore
from nkpredict.learn.model import NKSusceptibilityModel
from nkpredict.learn.novelty import ProfileNovelty
from nkpredict.learn.ridge import EvidenceRidge

_RIDGE_ARRAYS = ("coef_", "mean_", "scale_")
_RIDGE_NUMBERS = ("intercept_", "penalty_", "trust_", "direction_")


@dataclass(frozen=True)
class ModelState:
    """The parts of a fitted model.

    Attributes
    ----------
    arrays
        Numbers, by name.
    settings
        Plain JSON values: gene and sample names, parameters, evidence.
    trees
        LightGBM models as text.
    """

    arrays: dict[str, np.ndarray]
    settings: dict[str, Any]
    trees: tuple[str, ...]


def state_of(model: NKSusceptibilityModel) -> ModelState:
    """Take a fitted model apart."""
    core = model.core_
    evidence = model.evidence_
    arrays = {
        "weights": model.weights_,
        "effect": model.effect_,
        "range": model.range_,
        "harmoniser.mean": core.harmoniser.mean_,
        "harmoniser.scale": core.harmoniser.scale_,
        **{f"ridge.{name}": getattr(core.ridge, name) for name in _RIDGE_ARRAYS},
        "boosting.selected": core.boosting.selected_,
        "boosting.mean": core.boosting.mean_,
        "novelty.components": model.novelty_.components_,
        "held_out.observed": model.held_out_["observed"].to_numpy(),
        "held_out.predicted": model.held_out_["predicted"].to_numpy(),
    }
    settings = {
        "genes": [str(gene) for gene in model.feature_names_in_],
        "random_state": model.random_state,
        "folds": model.folds,
        "ridge": {name: float(getattr(core.ridge, name)) for name in _RIDGE_NUMBERS},
        "ridge_parameters": _plain_parameters(core.ridge),
        "boosting": _plain_parameters(core.boosting),
        "novelty_limit": model.novelty_.limit_,
        "half_width": model.half_width_,
        "skill": model.skill_,
        "held_out_samples": [str(sample) for sample in model.held_out_.index],
        "evidence": evidence.to_json_dict() if isinstance(evidence, GeneEvidence) else None,
    }
    trees = tuple(booster.model_to_string() for booster in core.boosting.boosters_)
    return ModelState(arrays, settings, trees)


def model_from(state: ModelState) -> NKSusceptibilityModel:
    """Put a model together again; it predicts the same numbers to the last bit.

    Raises
    ------
    BundleError
        When parts are missing or do not fit each other.
    """
    try:
        return _rebuild(state.arrays, state.settings, state.trees)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"The parts of the model do not fit together ({error!r}).") from error


def _rebuild(
    arrays: Mapping[str, np.ndarray], settings: Mapping[str, Any], trees: tuple[str, ...]
) -> NKSusceptibilityModel:
    import lightgbm

    genes = np.asarray(settings["genes"], dtype=object)
    evidence = settings["evidence"]
    model = NKSusceptibilityModel(
        evidence=None if evidence is None else GeneEvidence.from_json_dict(evidence),
        random_state=int(settings["random_state"]),
        ridge=EvidenceRidge(**settings["ridge_parameters"]),
        boosting=EvidenceBoosting(**settings["boosting"]),
        folds=int(settings["folds"]),
    )
    harmoniser = ProfileHarmoniser()
    harmoniser.mean_, harmoniser.scale_ = arrays["harmoniser.mean"], arrays["harmoniser.scale"]
    ridge = EvidenceRidge(**settings["ridge_parameters"])
    for name in _RIDGE_ARRAYS:
        setattr(ridge, name, arrays[f"ridge.{name}"])
    for name in _RIDGE_NUMBERS:
        setattr(ridge, name, float(settings["ridge"][name]))
    boosting = EvidenceBoosting(**settings["boosting"])
    boosting.selected_, boosting.mean_ = arrays["boosting.selected"], arrays["boosting.mean"]
    boosting.boosters_ = [lightgbm.Booster(model_str=text) for text in trees]
    for part in (harmoniser, ridge, boosting, model):
        part.n_features_in_ = len(genes)
    _check_shapes(arrays, len(genes))
    model.core_ = BlendCore(harmoniser, ridge, boosting)
    model.weights_, model.effect_ = arrays["weights"], arrays["effect"]
    model.range_ = arrays["range"]
    model.feature_names_in_ = genes
    model.evidence_ = model.evidence
    model.novelty_ = ProfileNovelty(random_state=model.random_state)
    model.novelty_.components_ = arrays["novelty.components"]
    model.novelty_.limit_ = float(settings["novelty_limit"])
    half_width = settings["half_width"]
    model.half_width_ = float("inf") if half_width is None else float(half_width)
    model.skill_ = dict(settings["skill"])
    model.held_out_ = pd.DataFrame(
        {name: arrays[f"held_out.{name}"] for name in ("observed", "predicted")},
        index=settings["held_out_samples"],
    )
    return model


def _check_shapes(arrays: Mapping[str, np.ndarray], genes: int) -> None:
    for name in ("harmoniser.mean", "harmoniser.scale", *(f"ridge.{n}" for n in _RIDGE_ARRAYS)):
        if arrays[name].shape != (genes,):
            raise ValueError(f"{name} has shape {arrays[name].shape}, expected ({genes},)")
    selected = arrays["boosting.selected"]
    if len(selected) and (selected.min() < 0 or selected.max() >= genes):
        raise ValueError("boosting.selected points beyond the genes")


def _plain_parameters(learner: EvidenceRidge | EvidenceBoosting) -> dict[str, Any]:
    parameters = learner.get_params()
    parameters.pop("evidence")
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in parameters.items()
    }
