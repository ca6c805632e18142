"""How a model is called: NAME@alias, NAME/version, the path of a bundle, or the shipped one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from nkpredict.errors import InputError, RegistryError, name_some
from nkpredict.registry._index import Model
from nkpredict.registry._settings import RegistrySettings

SHIPPED_MODEL = "screen-prior"
"""Name of the model that ships with the package; it cannot be registered."""

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
_REFERENCE = re.compile(r"^(?P<name>[^@/]+)(?:@(?P<alias>[^@/]+)|/(?P<version>\d{1,9}))?$")
_SHOWN_MODELS = 10


def is_bundle(reference: str | Path) -> bool:
    """Tell whether a model reference is the path of a bundle folder."""
    return Path(reference).is_dir()


def check_model_name(name: str) -> str:
    """Return the name when MLflow and file systems can carry it.

    Raises
    ------
    InputError
        Otherwise.
    """
    if not _NAME.match(name):
        raise InputError(
            f"The model name {name!r} is not usable; expected letters, digits, dots, hyphens and "
            "underscores, at most 100."
        )
    if name == SHIPPED_MODEL:
        raise InputError(
            f"The model name {name!r} is that of the model which ships with nkpredict; choose "
            "another one."
        )
    return name


def parts_of(reference: str, settings: RegistrySettings) -> tuple[str, str | None, int | None]:
    """Return the name, alias and version of a reference; without both the alias of what is in use.

    Parameters
    ----------
    reference
        ``NAME@alias``, ``NAME/version`` or ``NAME``.
    settings
        Of the registry.

    Raises
    ------
    RegistryError
        When it is no reference.
    """
    match = _REFERENCE.match(reference)
    if match is None:
        raise RegistryError(
            f"{settings.hidden(reference)!r} is neither a bundle folder nor a model reference; "
            "expected NAME@champion, NAME/3 or the path of a bundle."
        )
    name, alias = match["name"], match["alias"]
    version = None if match["version"] is None else int(match["version"])
    return name, settings.in_use_alias if version is None and alias is None else alias, version


def unknown(
    reference: str, models: Mapping[str, Model], settings: RegistrySettings
) -> RegistryError:
    """Return the error for a model that is not there; it lists what is."""
    if not models:
        return RegistryError(
            f"There is no model {reference!r}: the registry {settings.shown} is empty. Train a "
            "model first, or name another registry (--registry)."
        )
    known = [
        f"{name} (versions {name_some(sorted(model.versions, reverse=True))}; aliases "
        f"{', '.join(model.aliases) or 'none'})"
        for name, model in models.items()
    ]
    listed = ", ".join(known[:_SHOWN_MODELS])
    if len(known) > _SHOWN_MODELS:
        listed += f" and {len(known) - _SHOWN_MODELS} more"
    return RegistryError(f"There is no model {reference!r} in {settings.shown}; it has {listed}.")
