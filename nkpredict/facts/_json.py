"""Facts as plain JSON values and back, each value checked against the type of its field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints

from nkpredict.errors import InputError, name_some

AnyFacts = TypeVar("AnyFacts", bound="Facts")
SCHEMA_VERSION = 1
"""Version of the facts as they are written; raised when a key changes its meaning or its name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known about something; a fact that may be unknown has the default None."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; what is not known is left out."""
        return {
            fact.name: _plain(value)
            for fact in fields(self)
            if (value := getattr(self, fact.name)) is not None or fact.default is not None
        }

    @classmethod
    def from_json(cls, content: Mapping[Any, Any]) -> Self:
        """Build the facts from what `to_json` returned, out of a JSON or an h5ad file.

        Content without a ``schema_version`` was written before facts were typed: keys that are not
        known are then passed over.

        Raises
        ------
        InputError
            When a fact is lacking, unknown or of another type, or the schema version is newer.
        """
        version = content.get("schema_version", 0) if isinstance(content, Mapping) else 0
        if hasattr(version, "item"):  # of numpy, as h5ad files give it
            version = version.item()
        if type(version) is not int or version < 0:
            raise InputError(f"The facts have the schema version {repr(version)[:60]}.")
        if version > SCHEMA_VERSION:
            raise InputError(
                f"The facts have schema version {version}; this nkpredict reads up to "
                f"{SCHEMA_VERSION}. Update nkpredict."
            )
        return _built(cls, content, strict=version > 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionedFacts(Facts):
    """Facts that are written by themselves, with the version of their schema."""

    schema_version: int = field(default=SCHEMA_VERSION, init=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Facts):
        return value.to_json()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _built(kind: type[AnyFacts], content: Mapping[str, Any], strict: bool) -> AnyFacts:
    name, types = kind.__name__, get_type_hints(kind)
    if not isinstance(content, Mapping):
        raise InputError(f"{name} is {repr(content)[:60]}; expected facts by name.")
    known = {fact.name: fact for fact in fields(kind)}
    unknown = [key for key in content if key not in known]
    if unknown and strict:
        raise InputError(f"{name} has the unknown facts {name_some(unknown)}.")
    asked = [fact for fact in known.values() if fact.init]
    lacking = [
        fact.name
        for fact in asked
        if fact.name not in content and fact.default is fact.default_factory is MISSING
    ]
    if lacking:
        raise InputError(f"{name} lacks the facts {name_some(lacking)}.")
    return kind(
        **{
            fact.name: _value(types[fact.name], content[fact.name], f"{name}.{fact.name}", strict)
            for fact in asked
            if fact.name in content
        }
    )


def _value(kind: Any, value: Any, where: str, strict: bool) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if type(None) in parts:
        (kind,) = (part for part in parts if part is not type(None))
        # an empty section stood for an unknown one
        section = isinstance(kind, type) and issubclass(kind, Facts)
        unknown = value is None or (section and not value)
        return None if unknown else _value(kind, value, where, strict)
    if origin is tuple:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise InputError(f"The fact {where} is {repr(value)[:60]}; expected several values.")
        return tuple(_value(parts[0], item, where, strict) for item in value)
    if isinstance(kind, type) and issubclass(kind, Facts):
        return _built(kind, value, strict)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise InputError(f"The fact {where} is {repr(value)[:60]}; expected values by name.")
        return {str(key): _value(parts[1], item, where, strict) for key, item in value.items()}
    if hasattr(value, "item"):  # of numpy, as h5ad files give it
        value = value.item()
    if isinstance(kind, type) and issubclass(kind, StrEnum) and value in list(kind):
        return kind(value)
    if kind is float:
        # JSON has no NaN and no whole floats
        value = float("nan") if value is None else float(value) if type(value) is int else value
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"The fact {where} is {repr(value)[:60]}; expected {kind.__name__}.")
    return value
