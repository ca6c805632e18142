"""Models as bundles without pickle, their cards, and the registry that keeps their versions."""

from nkpredict.registry.bundle import Bundle, load_bundle, save_bundle
from nkpredict.registry.store import Registry

__all__ = ["Bundle", "Registry", "load_bundle", "save_bundle"]
