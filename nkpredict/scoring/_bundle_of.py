"""Find the model that is meant, and read profiles the way it needs them."""

from __future__ import annotations

from pathlib import Path

from nkpredict.facts import ModelFacts
from nkpredict.learn import GeneModel, KillingCurveModel
from nkpredict.registry import Bundle, Registry

_IN_MEMORY = ModelFacts(name="model in memory")


def bundle_of(
    model: str | Path | Bundle | GeneModel | KillingCurveModel | None,
    registry: str | Path | Registry | None,
) -> Bundle:
    """Return the bundle of a model, by name, folder or itself; the default one for None."""
    if isinstance(model, Bundle):
        return model
    if isinstance(model, KillingCurveModel):
        return Bundle(model.model_, _IN_MEMORY, model)
    if isinstance(model, GeneModel):
        return Bundle(model, _IN_MEMORY)
    store = registry if isinstance(registry, Registry) else Registry(registry)
    return store.load_default() if model is None else store.load(model)


def genes_of(bundle: Bundle) -> frozenset[str]:
    """Return the names of genes that the model of a bundle knows."""
    return frozenset(map(str, bundle.model.feature_names_in_))
