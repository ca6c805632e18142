"""A fitted model as plain numbers and text, and back: no object of Python is ever stored."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from nkpredict.errors import BundleError, in_words
from nkpredict.evidence import GeneEvidence
from nkpredict.features import ModuleScores, PlatformBridge, ProfileHarmoniser
from nkpredict.io import to_json
from nkpredict.learn import (
    GIVEN_BY_GENE,
    STORED,
    AdditivePredictor,
    AxisScore,
    BlendCore,
    EvidenceBoosting,
    GeneLearner,
    GeneModel,
    LearnerState,
    NKSusceptibilityModel,
    ProfileNovelty,
    ResponseRange,
    ScreenPrior,
    SubspaceNovelty,
)
from nkpredict.registry._checks import (
    UsedArrays,
    check_arrays,
    checked_names,
    checked_number,
    checked_numbers,
    checked_parameters,
)
from nkpredict.registry._contents import arrays_from, json_from
from nkpredict.types import AnyArray

_MODELS = {model.__name__: model for model in (NKSusceptibilityModel, ScreenPrior)}
_CORE_ARRAYS = ("center_", "spread_")
_MODEL_ARRAYS = ("weights_", "effect_", "range_", "reference_")
_PRIOR_ARRAYS = ("reference_axes_", "slopes_")
# Parameters that are stored elsewhere.
_PARTS = {"learners", *GIVEN_BY_GENE}
_SMALLEST = 1e-300


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

    arrays: dict[str, AnyArray]
    settings: dict[str, Any]
    trees: tuple[str, ...]


def state_of(model: GeneModel) -> ModelState:
    """Take a fitted model apart."""
    core, evidence = model.core_, model.evidence_
    arrays = {
        "harmoniser.mean": core.harmoniser.mean_,
        "harmoniser.scale": core.harmoniser.scale_,
        **_novelty_arrays(model.novelty_),
        **{f"core.{name}": getattr(core, name) for name in _CORE_ARRAYS},
        **{f"model.{name}": getattr(model, name) for name in _MODEL_ARRAYS},
    }
    ends = (model.response_range_.low, model.response_range_.high)
    if np.isfinite(ends).all():
        arrays["model.response_range"] = np.array(ends)
    if model.platforms_ is not None:
        arrays |= {f"platforms.{name}": part for name, part in model.platforms_.arrays().items()}
    learners: list[dict[str, Any]] = []
    texts: list[str] = []
    for name, learner in core.learners.items():
        part = learner.state()
        arrays |= {f"{name}.{array}": values for array, values in part.arrays.items()}
        texts += part.texts
        # a list keeps the order, which the weights follow
        learners.append(
            {
                "name": name,
                "parameters": _plain_parameters(learner),
                "numbers": dict(part.numbers),
                "texts": len(part.texts),
            }
        )
    settings = {
        "model": type(model).__name__,
        "parameters": _plain_parameters(model),
        "genes": [str(gene) for gene in model.feature_names_in_],
        "learners": learners,
        "novelty_limit": model.novelty_.limit_,
        "skill": model.skill_,
        "evidence": evidence.to_json_dict() if isinstance(evidence, GeneEvidence) else None,
    }
    if isinstance(model, ScreenPrior):
        arrays |= {f"prior.{name}": getattr(model, name) for name in _PRIOR_ARRAYS}
        settings["evidence_by_effector"] = {
            name: known.to_json_dict() for name, known in model.evidence_by_effector_.items()
        }
    if core.modules is not None:
        arrays["core.module_slopes"] = core.module_slopes_
        settings["modules"] = {
            name: list(members) for name, members in core.modules.gene_sets.items()
        }
    offsets = getattr(model, "offsets_", None)
    if offsets is not None:
        settings["offsets"] = {str(group): float(value) for group, value in offsets.items()}
    held_out = getattr(model, "held_out_", None)
    if held_out is not None:
        arrays["held_out.observed"] = held_out["observed"].to_numpy()
        settings["held_out_samples"] = [str(sample) for sample in held_out.index]
    return ModelState(arrays, settings, tuple(texts))


def model_from(state: ModelState) -> GeneModel:
    """Put a model together again; it predicts the same numbers to the last bit.

    Raises
    ------
    BundleError
        When parts are missing or do not fit each other.
    """
    try:
        arrays = UsedArrays(state.arrays)
        model = _rebuild(arrays, state.settings, state.trees)
        elsewhere = ["platforms.", *(f"{name}." for name in model.core_.learners)]
        arrays.require_all_used(beside=elsewhere)
    except Exception as error:  # whatever a damaged part does to the code that reads it
        raise BundleError(
            f"The parts of the model do not fit together ({in_words(error)})."
        ) from error
    return model


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
    KeyError, ValueError
        When a file is missing, or is not what it must be.
    """
    settings, arrays, *texts = file_names(trees, prefix)
    return ModelState(
        arrays_from(contents[arrays], arrays),
        json_from(contents[settings], settings),
        tuple(contents[name].decode("ascii") for name in texts),
    )


def _rebuild(arrays: UsedArrays, settings: Mapping[str, Any], trees: tuple[str, ...]) -> GeneModel:
    genes = np.asarray(checked_names(settings["genes"], "the genes"), dtype=object)
    modules = ModuleScores(settings["modules"], genes) if "modules" in settings else None
    features = len(genes) + (0 if modules is None else len(modules))
    learners = _learners(settings["learners"], arrays, trees, features)
    sizes = {"genes": len(genes), "learners": len(learners), "modules": features - len(genes)}
    check_arrays(arrays, sizes)
    kind = _MODELS[settings["model"]]
    evidence = settings["evidence"]
    model = kind(
        evidence=None if evidence is None else GeneEvidence.from_json_dict(evidence),
        **checked_parameters(kind, settings["parameters"]),
    )
    if isinstance(model, NKSusceptibilityModel):
        blended = [clone(one) for one in learners.values() if isinstance(one, GeneLearner)]
        if len(blended) < len(learners):
            raise ValueError(f"{kind.__name__} blends no such learner")
        model.set_params(learners=blended)
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
    model.core_, model.feature_names_in_, model.evidence_ = core, genes, model.evidence
    limit = checked_number(settings["novelty_limit"], "novelty_limit", _SMALLEST)
    model.novelty_ = _novelty(arrays, limit, model.random_state)
    levels = arrays.below("platforms.")
    # bundles written before models knew platforms have none
    model.platforms_ = PlatformBridge.from_arrays(levels, len(genes)) if levels else None
    levels.require_all_used("platforms.")
    # models saved without a range, or without a response, bound nothing
    low, high = arrays.get("model.response_range", (-np.inf, np.inf))
    if low > high:
        raise ValueError(f"model.response_range begins at {low} and ends at {high}")
    model.response_range_ = ResponseRange(float(low), float(high))
    model.skill_ = checked_numbers(settings["skill"], "skill")
    if isinstance(model, ScreenPrior):
        _restore_prior(model, arrays, settings)
    if isinstance(model, NKSusceptibilityModel):
        _restore_trained(model, arrays, settings)
    return model


def _novelty_arrays(novelty: ProfileNovelty) -> dict[str, AnyArray]:
    if isinstance(novelty, SubspaceNovelty):
        arrays = {"novelty.components": novelty.components_}
    else:
        arrays = {"novelty.lowest": novelty.lowest_, "novelty.highest": novelty.highest_}
    # bundles written before models kept a trace of their profiles have none
    fingerprints = getattr(novelty, "fingerprints_", None)
    if fingerprints is not None:
        arrays["novelty.fingerprints"] = fingerprints
        arrays["novelty.fingerprint_genes"] = novelty.fingerprint_genes_
    return arrays


def _novelty(arrays: Mapping[str, AnyArray], limit: float, random_state: int) -> ProfileNovelty:
    novelty: ProfileNovelty
    if "novelty.components" in arrays:  # written before the ends of the genes were kept
        novelty = older = SubspaceNovelty(random_state=random_state)
        older.components_ = arrays["novelty.components"]
    else:
        novelty = ProfileNovelty(random_state=random_state)
        novelty.lowest_, novelty.highest_ = arrays["novelty.lowest"], arrays["novelty.highest"]
    novelty.limit_ = limit
    novelty.fingerprints_ = arrays.get("novelty.fingerprints")
    if novelty.fingerprints_ is not None:
        novelty.fingerprint_genes_ = arrays["novelty.fingerprint_genes"]
    return novelty


def _restore_prior(model: ScreenPrior, arrays: UsedArrays, settings: Mapping[str, Any]) -> None:
    (score,) = model.core_.learners.values()
    if not isinstance(score, AxisScore):
        raise ValueError(f"a prior rests on no {score.name}")
    model.evidence_by_effector_ = {
        name: GeneEvidence.from_json_dict(known)
        for name, known in settings["evidence_by_effector"].items()
    }
    for name in _PRIOR_ARRAYS:
        setattr(model, name, arrays[f"prior.{name}"])
    effectors = [str(name) for name in score.effectors_]
    expected = (len(effectors), len(model.reference_), len(score.axes_))
    if sorted(model.evidence_by_effector_) != sorted(effectors) or model.effector not in effectors:
        raise ValueError("the evidence is not that of the effectors")
    if model.reference_axes_.shape != expected or len(model.slopes_) != len(score.positions_):
        raise ValueError(f"prior.reference_axes_ or prior.slopes_ does not fit {expected}")


def _restore_trained(
    model: NKSusceptibilityModel, arrays: UsedArrays, settings: Mapping[str, Any]
) -> None:
    samples = settings["held_out_samples"]
    if len(checked_names(samples, "the samples")) != len(model.reference_):
        raise ValueError(f"{len(samples)} samples for {len(model.reference_)} predictions")
    offsets = settings.get("offsets")
    model.offsets_ = None if offsets is None else pd.Series(checked_numbers(offsets, "offsets"))
    model.held_out_ = pd.DataFrame(
        {"observed": arrays["held_out.observed"], "predicted": model.reference_}, index=samples
    )


def _learners(
    stored: Sequence[Mapping[str, Any]],
    arrays: UsedArrays,
    texts: tuple[str, ...],
    features: int,
) -> dict[str, AdditivePredictor]:
    learners: dict[str, AdditivePredictor] = {}
    left = list(texts)
    for part in stored:
        name = part["name"]
        if name in learners:
            raise ValueError(f"the learner {name} stands twice")
        # bundles written before learners told their number of texts hold trees alone
        count = part.get("texts", len(left) if name == EvidenceBoosting.name else 0)
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= len(left):
            raise ValueError(f"the learner {name} has {count!r} texts of {len(left)}")
        taken, left = left[:count], left[count:]
        own = arrays.below(f"{name}.")
        state = LearnerState(own, part["numbers"], tuple(taken))
        parameters = checked_parameters(STORED[name], part["parameters"])
        learners[name] = STORED[name].from_state(parameters, state, features)
        own.require_all_used(f"{name}.")
    if left or not learners:
        raise ValueError(f"{len(left)} tree models belong to no learner")
    return learners


def _plain_parameters(estimator: AdditivePredictor | GeneModel) -> dict[str, Any]:
    # gene sets are stored with the genes found; weights of training samples predict nothing
    of_model = isinstance(estimator, NKSusceptibilityModel)
    elsewhere = _PARTS | ({"modules", "precision"} if of_model else set())
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in estimator.get_params(deep=False).items()
        if name not in elsewhere
    }
