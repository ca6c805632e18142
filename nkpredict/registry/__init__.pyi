"""Public names of the room."""

from ._bundle import Bundle as Bundle, load_bundle as load_bundle, save_bundle as save_bundle
from ._card import KNOWLEDGE_ONLY_NOTICE as KNOWLEDGE_ONLY_NOTICE, NOTICE as NOTICE
from ._health import check_registry as check_registry, mend_registry as mend_registry
from ._run import RunRecord as RunRecord
from ._settings import registry_settings as registry_settings
from ._store import Registry as Registry, check_model_name as check_model_name
