"""What the parts of a model must be before one is made from them: kinds, shapes and ranges."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from nkpredict.types import AnyArray

_LONGEST_NAME = 500


@dataclass(frozen=True)
class _Expected:
    """Kind of dtype and axes of an array; what an axis is called has one length throughout."""

    axes: tuple[str, ...]
    kind: str = "f"
    positive: bool = False
    finite: bool = True
    missing: bool = False


# normal scores of ranks, their standard deviations, and a correlation
_LEVELS = {
    "level": (-10.0, 10.0),
    "spread": (0.0, 20.0),
    "array_level": (-10.0, 10.0),
    "array_spread": (0.0, 20.0),
    "agreement": (-1.0, 1.0),
}
_ARRAYS = {
    "harmoniser.mean": _Expected(("genes",)),
    "harmoniser.scale": _Expected(("genes",)),
    "core.center_": _Expected(("genes",)),
    # the spread of a constant gene is infinite
    "core.spread_": _Expected(("genes",), positive=True, finite=False),
    "core.module_slopes": _Expected(("learners", "modules")),
    "model.weights_": _Expected(("learners",)),
    "model.effect_": _Expected(("genes",)),
    "model.range_": _Expected(("ends", "genes")),
    "model.reference_": _Expected(("samples",)),
    "model.response_range": _Expected(("ends",)),
    # NaN for a gene that no training profile has
    "novelty.lowest": _Expected(("genes",), missing=True),
    "novelty.highest": _Expected(("genes",), missing=True),
    "platforms.platforms": _Expected(("platforms",), kind="U"),
    # behind those of the platforms the profiles of none
    "platforms.counts": _Expected(("counts",), kind="i"),
    # NaN where a platform lacks a gene
    **{f"platforms.{part}": _Expected(("platforms", "genes"), missing=True) for part in _LEVELS},
    "novelty.components": _Expected(("components", "genes")),
    "novelty.fingerprints": _Expected(("fingerprinted", "blocks"), kind="u"),
    "novelty.fingerprint_genes": _Expected(("blocks", "block"), kind="i"),
    "held_out.observed": _Expected(("samples",)),
    "prior.reference_axes_": _Expected(("effectors", "samples", "axes")),
    "prior.slopes_": _Expected(("known",)),
}


class UsedArrays(Mapping[str, AnyArray]):
    """Arrays by name that remember which of them were asked for.

    Parameters
    ----------
    arrays
        As they were stored.
    """

    def __init__(self, arrays: Mapping[str, AnyArray]) -> None:
        self._arrays = arrays
        self._used: set[str] = set()

    def __getitem__(self, name: str) -> AnyArray:
        values = self._arrays[name]
        self._used.add(name)
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def below(self, prefix: str) -> UsedArrays:
        """Return the arrays whose names begin with a prefix, without it."""
        own = {
            name.removeprefix(prefix): values
            for name, values in self._arrays.items()
            if name.startswith(prefix)
        }
        return UsedArrays(own)

    def require_all_used(self, prefix: str = "", beside: Sequence[str] = ()) -> None:
        """Refuse arrays that no part of the model asked for.

        Parameters
        ----------
        prefix
            Of the names, for the message.
        beside
            Beginnings of names that are looked after elsewhere.

        Raises
        ------
        ValueError
            When there are any.
        """
        left = [
            name
            for name in self._arrays
            if name not in self._used and not name.startswith(tuple(beside))
        ]
        if left:
            raise ValueError(f"{prefix}{left[0][:60]} belongs to no part of the model")


def check_arrays(arrays: Mapping[str, AnyArray], sizes: Mapping[str, int]) -> None:
    """Check the arrays of a model that are no learner's own.

    Parameters
    ----------
    arrays
        By name; those that are not known here are left to the part that uses them.
    sizes
        Lengths of axes that are known, such as the number of genes.

    Raises
    ------
    ValueError
        When one has another kind or shape, or values that it cannot have.
    """
    known = {"ends": 2, **sizes}
    for name, expected in _ARRAYS.items():
        if name not in arrays:
            continue
        values = arrays[name]
        axes = tuple(
            known.setdefault(axis, length)
            for axis, length in zip(expected.axes, values.shape, strict=False)
        )
        if (
            values.dtype.kind not in expected.kind
            or values.shape != axes
            or (len(axes) != len(expected.axes))
        ):
            raise ValueError(f"{name} is {values.dtype} of shape {values.shape}, expected {axes}")
        if values.dtype.kind == "f" and (
            (np.isnan(values).any() and not expected.missing)
            or (np.isinf(values).any() and expected.finite)
        ):
            raise ValueError(f"{name} holds values that are not finite")
        if expected.positive and not (values > 0).all():
            raise ValueError(f"{name} is not above 0")
    if not known.get("samples", 1) or not known.get("components", 1):
        raise ValueError("the model has no reference samples")
    if "novelty.fingerprints" in arrays and not len(arrays["novelty.fingerprints"]):
        raise ValueError("the model keeps traces of no profile")
    _check_platforms(arrays)
    blocks = arrays.get("novelty.fingerprint_genes")
    if (
        blocks is not None
        and blocks.size
        and not (blocks.min() >= 0 and blocks.max() < known["genes"])
    ):
        raise ValueError("novelty.fingerprint_genes points beyond the genes")


def _check_platforms(arrays: Mapping[str, AnyArray]) -> None:
    """Refuse platforms that stand twice, counts below 0 and levels that no platform has."""
    if "platforms.platforms" not in arrays:
        return
    names, counts = arrays["platforms.platforms"], arrays["platforms.counts"]
    if not len(names) or len(np.unique(names)) < len(names):
        raise ValueError("platforms.platforms is empty, or names one twice")
    if len(counts) != len(names) + 1 or (counts < 0).any():
        raise ValueError(f"platforms.counts is not that of {len(names)} platforms")
    for part, (least, most) in _LEVELS.items():
        values = arrays[f"platforms.{part}"]
        if (values < least).any() or (values > most).any():
            raise ValueError(f"platforms.{part} leaves {least} to {most}")


def checked_names(found: Any, what: str) -> list[str]:
    """Return names that are text, each once.

    Raises
    ------
    ValueError
        Otherwise.
    """
    if not isinstance(found, list) or not all(
        isinstance(name, str) and len(name) <= _LONGEST_NAME for name in found
    ):
        raise ValueError(f"{what} are no list of names")
    if len(set(found)) < len(found):
        raise ValueError(f"{what} hold a name twice")
    return found


def checked_number(found: Any, what: str, least: float = -np.inf) -> float:
    """Return a finite number that is not below the least.

    Raises
    ------
    ValueError
        Otherwise.
    """
    if isinstance(found, bool) or not isinstance(found, int | float) or not isfinite(found):
        raise ValueError(f"{what} is {str(found)[:40]!r}, expected a number")
    if found < least:
        raise ValueError(f"{what} is {found}, expected {least} or more")
    return float(found)


def checked_numbers(found: Any, what: str) -> dict[str, float]:
    """Return numbers by name; NaN for null.

    Raises
    ------
    ValueError
        When it is anything else.
    """
    if not isinstance(found, dict):
        raise ValueError(f"{what} holds no numbers by name")
    return {
        name: float("nan") if value is None else checked_number(value, f"{what}.{name}")
        for name, value in found.items()
    }


def checked_parameters(kind: type, found: Any) -> dict[str, Any]:
    """Return the parameters of an estimator, each of the kind that its default has.

    Raises
    ------
    ValueError
        When one is not known or of another kind.
    """
    if not isinstance(found, dict):
        raise ValueError(f"the parameters of {kind.__name__} are no parameters by name")
    known = inspect.signature(kind).parameters
    for name, value in found.items():
        if name not in known:
            raise ValueError(f"{kind.__name__} has no parameter {name[:40]!r}")
        if not _fits(value, known[name].default):
            raise ValueError(f"{kind.__name__}.{name} is {str(value)[:40]!r}")
    return found


def _fits(value: Any, default: Any) -> bool:
    if value is None or default is None:
        return value is None or isinstance(value, str | bool | int | float)
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        whole = isinstance(value, int)
        return whole or (isinstance(value, float) and isfinite(value))
    if isinstance(default, tuple | list):
        return isinstance(value, list) and all(_fits(item, 0.0) for item in value)
    return isinstance(value, str)
