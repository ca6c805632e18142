"""Closed vocabularies that several rooms use; each member is the word that stands in tables."""

from __future__ import annotations

from enum import StrEnum

UNKNOWN = "unknown"


class Perturbation(StrEnum):
    """What a screen does to the function of a gene."""

    LOSS = "loss"
    GAIN = "gain"


class GeneDirection(StrEnum):
    """What a gene's function does to the susceptibility of its cell."""

    PROTECTS = "protects"
    SENSITIZES = "sensitizes"
    UNCLEAR = "unclear"


class NKLiability(StrEnum):
    """What a drug does to NK cells themselves; ``spares``: looked at, and no harm was found."""

    HELPS = "helps"
    SPARES = "spares"
    UNKNOWN = UNKNOWN
    MIXED = "mixed"
    HARMS = "harms"
