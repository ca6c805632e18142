"""Models as bundles without pickle, their cards, and the registry that keeps their versions."""

from nkpredict.registry._bundle import Bundle, load_bundle, save_bundle
from nkpredict.registry._card import KNOWLEDGE_ONLY_NOTICE, NOTICE
from nkpredict.registry._digest import model_digest
from nkpredict.registry._store import Registry, check_model_name

__all__ = [
    "KNOWLEDGE_ONLY_NOTICE",
    "NOTICE",
    "Bundle",
    "Registry",
    "check_model_name",
    "load_bundle",
    "model_digest",
    "save_bundle",
]
