"""Find the model that is meant, and read profiles the way it needs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nkpredict.errors import InputError
from nkpredict.evidence import effector_named
from nkpredict.facts import ModelFacts
from nkpredict.learn import GeneModel, KillingCurveModel, ScreenPrior
from nkpredict.registry import Bundle, Registry

_IN_MEMORY = ModelFacts(name="model in memory")


def bundle_of(
    model: str | Path | Bundle | GeneModel | KillingCurveModel | None,
    registry: str | Path | Registry | None,
    effector: str | None = None,
) -> Bundle:
    """Return the bundle of a model, by name, folder or itself; the default one for None.

    Parameters
    ----------
    model, registry, effector
        As `nkpredict.score` takes them.

    Raises
    ------
    InputError
        When an effector is asked of a model that was trained on a response.
    RegistryError, BundleError
        When the model is not found or damaged.
    """
    return _for_effector(_bundle(model, registry), effector)


def _bundle(
    model: str | Path | Bundle | GeneModel | KillingCurveModel | None,
    registry: str | Path | Registry | None,
) -> Bundle:
    if isinstance(model, Bundle):
        return model
    if isinstance(model, KillingCurveModel):
        return Bundle(model.model_, _IN_MEMORY, model)
    if isinstance(model, GeneModel):
        return Bundle(model, _IN_MEMORY)
    store = registry if isinstance(registry, Registry) else Registry(registry)
    return store.load_default() if model is None else store.load(model)


def _for_effector(bundle: Bundle, effector: str | None) -> Bundle:
    if effector is None:
        return bundle
    if not isinstance(bundle.model, ScreenPrior):
        raise InputError(
            f"The effector {effector!r} was asked for, but the model {bundle.metadata.name} was "
            "trained on a response and is about the NK cells of that response; leave the effector "
            "out, or score with screen-prior."
        )
    return replace(bundle, model=bundle.model.for_effector(effector_named(effector)))


def genes_of(bundle: Bundle) -> frozenset[str]:
    """Return the names of genes that the model of a bundle knows."""
    return frozenset(map(str, bundle.model.feature_names_in_))
