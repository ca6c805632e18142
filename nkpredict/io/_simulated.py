"""How simulated data are told from measured ones, wherever they turn up."""

from __future__ import annotations

from collections.abc import Iterable

SIMULATED_PREFIX = "SIM-"
"""Beginning of the name of every simulated sample and screen."""


def all_simulated(names: Iterable[object]) -> bool:
    """Tell whether every name is that of a simulated sample."""
    return all(str(name).startswith(SIMULATED_PREFIX) for name in names)
