"""A fitted model as plain numbers and text, and back: no object of Python is ever stored."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone

from nkpredict.errors import BundleError
from nkpredict.evidence import GeneEvidence
from nkpredict.features import ModuleScores, ProfileHarmoniser
from nkpredict.io import to_json
from nkpredict.learn import (
    BlendCore,
    EvidenceBoosting,
    EvidenceRidge,
    EvidenceScore,
    GeneLearner,
    GeneModel,
    NKSusceptibilityModel,
    ProfileNovelty,
    ScreenPrior,
)


class _Kind(NamedTuple):
    """What makes up a fitted learner: its class, its arrays and its numbers."""

    learner: type[GeneLearner]
    arrays: tuple[str, ...]
    numbers: tuple[str, ...] = ()


_LEARNERS = {
    "ridge": _Kind(
        EvidenceRidge,
        ("coef_", "mean_", "scale_"),
        ("intercept_", "penalty_", "trust_", "direction_"),
    ),
    "boosting": _Kind(EvidenceBoosting, ("selected_", "mean_")),
    "evidence": _Kind(EvidenceScore, ("signed_", "readers_", "mean_", "scale_")),
}
_MODELS: dict[str, type[GeneModel]] = {
    model.__name__: model for model in (NKSusceptibilityModel, ScreenPrior)
}
_CORE_ARRAYS = ("center_", "spread_")
_MODEL_ARRAYS = ("weights_", "effect_", "range_", "reference_")
# Parameters that are stored elsewhere, as learners or as evidence.
_PARTS = {"evidence", *_LEARNERS}


@dataclass(frozen=True)
class ModelState:
    """The parts of a fitted model.

    Attributes
    ----------
    arrays
        Numbers, by name.
    settings
        Plain JSON values: gene and sample names, parameters, evidence, gene sets.
    trees
        LightGBM models as text.
    """

    arrays: dict[str, np.ndarray]
    settings: dict[str, Any]
    trees: tuple[str, ...]


def state_of(model: GeneModel) -> ModelState:
    """Take a fitted model apart."""
    core, evidence = model.core_, model.evidence_
    arrays = {
        "harmoniser.mean": core.harmoniser.mean_,
        "harmoniser.scale": core.harmoniser.scale_,
        "novelty.components": model.novelty_.components_,
        **{f"core.{name}": getattr(core, name) for name in _CORE_ARRAYS},
        **{f"model.{name}": getattr(model, name) for name in _MODEL_ARRAYS},
    }
    learners = []
    for name, learner in core.learners.items():
        kind = _LEARNERS[name]
        arrays |= {f"{name}.{array}": getattr(learner, array) for array in kind.arrays}
        # a list keeps the order, which the weights follow
        learners.append(
            {
                "name": name,
                "parameters": _plain_parameters(learner),
                "numbers": {number: float(getattr(learner, number)) for number in kind.numbers},
            }
        )
    settings = {
        "model": type(model).__name__,
        "parameters": _plain_parameters(model),
        "genes": [str(gene) for gene in model.feature_names_in_],
        "learners": learners,
        "novelty_limit": model.novelty_.limit_,
        "half_width": model.half_width_,
        "skill": model.skill_,
        "evidence": evidence.to_json_dict() if isinstance(evidence, GeneEvidence) else None,
    }
    if core.modules is not None:
        arrays["core.module_slopes"] = core.module_slopes_
        settings["modules"] = {name: list(own) for name, own in core.modules.gene_sets.items()}
    offsets = getattr(model, "offsets_", None)
    if offsets is not None:
        settings["offsets"] = {str(group): float(value) for group, value in offsets.items()}
    held_out = getattr(model, "held_out_", None)
    if held_out is not None:
        arrays["held_out.observed"] = held_out["observed"].to_numpy()
        settings["held_out_samples"] = [str(sample) for sample in held_out.index]
    boosting = core.learners.get("boosting")
    boosters = boosting.boosters_ if isinstance(boosting, EvidenceBoosting) else []
    return ModelState(arrays, settings, tuple(booster.model_to_string() for booster in boosters))


def model_from(state: ModelState) -> GeneModel:
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


def files_of(state: ModelState, prefix: str = "") -> dict[str, bytes]:
    """Return the files of a model, name → content; the same model gives the same bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **state.arrays)
    settings, arrays, *trees = file_names(len(state.trees), prefix)
    texts = zip(trees, (text.encode() for text in state.trees), strict=True)
    return {arrays: buffer.getvalue(), settings: to_json(state.settings).encode(), **dict(texts)}


def file_names(trees: int, prefix: str = "") -> list[str]:
    """Return the names of a model's files: settings, arrays, and one for each tree model."""
    names = ["model.json", "arrays.npz", *(f"trees-{number}.txt" for number in range(trees))]
    return [prefix + name for name in names]


def state_from(contents: Mapping[str, bytes], trees: int, prefix: str = "") -> ModelState:
    """Read the parts of a model from its files; nothing is unpickled.

    Raises
    ------
    KeyError
        When a file is missing.
    """
    settings, arrays, *texts = (contents[name] for name in file_names(trees, prefix))
    with np.load(io.BytesIO(arrays), allow_pickle=False) as stored:
        numbers = {name: stored[name] for name in stored.files}
    return ModelState(numbers, json.loads(settings), tuple(text.decode() for text in texts))


def _rebuild(
    arrays: Mapping[str, np.ndarray], settings: Mapping[str, Any], trees: tuple[str, ...]
) -> GeneModel:
    genes = np.asarray(settings["genes"], dtype=object)
    evidence = settings["evidence"]
    modules = ModuleScores(settings["modules"], genes) if "modules" in settings else None
    features = len(genes) + (0 if modules is None else len(modules))
    learners = {
        stored["name"]: _learner(stored, arrays, trees, features) for stored in settings["learners"]
    }
    model = _MODELS[settings["model"]](
        evidence=None if evidence is None else GeneEvidence.from_json_dict(evidence),
        **settings["parameters"],
    )
    for name in model.get_params(deep=False).keys() & learners.keys() - {"evidence"}:
        model.set_params(**{name: clone(learners[name])})
    harmoniser = ProfileHarmoniser()
    harmoniser.mean_, harmoniser.scale_ = arrays["harmoniser.mean"], arrays["harmoniser.scale"]
    harmoniser.n_features_in_ = model.n_features_in_ = len(genes)
    core = BlendCore(harmoniser, learners, modules)
    if modules is not None:
        core.module_slopes_ = arrays["core.module_slopes"]
        model.set_params(modules=modules.gene_sets)
    for name in _CORE_ARRAYS:
        setattr(core, name, arrays[f"core.{name}"])
    for name in _MODEL_ARRAYS:
        setattr(model, name, arrays[f"model.{name}"])
    _check_shapes(arrays, len(genes), features)
    model.core_, model.feature_names_in_, model.evidence_ = core, genes, model.evidence
    model.novelty_ = ProfileNovelty(random_state=model.random_state)
    model.novelty_.components_ = arrays["novelty.components"]
    model.novelty_.limit_ = float(settings["novelty_limit"])
    half_width = settings["half_width"]
    model.half_width_ = float("inf") if half_width is None else float(half_width)
    model.skill_ = dict(settings["skill"])
    if "held_out_samples" in settings:
        offsets = settings.get("offsets")
        model.offsets_ = None if offsets is None else pd.Series(offsets)
        model.held_out_ = pd.DataFrame(
            {"observed": arrays["held_out.observed"], "predicted": model.reference_},
            index=settings["held_out_samples"],
        )
    return model


def _learner(
    stored: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    trees: tuple[str, ...],
    features: int,
) -> GeneLearner:
    name = stored["name"]
    kind = _LEARNERS[name]
    learner = kind.learner(**stored["parameters"])
    for array in kind.arrays:
        setattr(learner, array, arrays[f"{name}.{array}"])
    for number in kind.numbers:
        setattr(learner, number, float(stored["numbers"][number]))
    if isinstance(learner, EvidenceBoosting):
        import lightgbm

        learner.boosters_ = [lightgbm.Booster(model_str=text) for text in trees]
    learner.n_features_in_ = features
    return learner


def _check_shapes(arrays: Mapping[str, np.ndarray], genes: int, features: int) -> None:
    for name, array in arrays.items():
        of_selected = name.startswith("boosting.")
        # learners see the scores of modules beside the genes
        expected = genes if name.startswith("harmoniser.") else features
        per_gene = name.endswith(("mean", "scale", "mean_", "scale_", "coef_"))
        if per_gene and not of_selected and array.shape != (expected,):
            raise ValueError(f"{name} has shape {array.shape}, expected ({expected},)")
    slopes = arrays.get("core.module_slopes")
    if slopes is not None and slopes.shape[1:] != (features - genes,):
        raise ValueError(f"core.module_slopes has shape {slopes.shape} for {features - genes}")
    selected = arrays.get("boosting.selected_", np.empty(0))
    if len(selected) and (selected.min() < 0 or selected.max() >= features):
        raise ValueError("boosting.selected points beyond the features")


def _plain_parameters(estimator: GeneLearner | GeneModel) -> dict[str, Any]:
    # gene sets are stored with the genes found
    elsewhere = _PARTS | ({"modules"} if isinstance(estimator, NKSusceptibilityModel) else set())
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in estimator.get_params(deep=False).items()
        if name not in elsewhere
    }
