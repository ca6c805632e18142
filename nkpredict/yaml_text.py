"""YAML files, read without trust in who wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MOST_VALUES = 100_000


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises
    ------
    ValueError
        When it is no YAML, nested too deep, or its aliases repeat more values than any of our files
        holds. The message says where, without a word of the file, which may hold a password.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    # ValueError: what is no UTF-8, days that there are not, numbers of 5,000 digits
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f" in line {mark.line + 1}"
        raise ValueError(f"no valid YAML{place}") from None
    _require_few_values(content)
    return content


def _require_few_values(content: Any) -> None:
    waiting, found = [content], 0
    while waiting:
        value = waiting.pop()
        inside: list[Any] = []
        if isinstance(value, Mapping):
            inside = [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set):
            inside = list(value)
        found += len(inside)
        if found > _MOST_VALUES:
            raise ValueError(f"more than {_MOST_VALUES:,} values")
        waiting += inside
