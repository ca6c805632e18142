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


class Axis(StrEnum):
    """What a gene has to do with killing by NK cells, in words that a user understands."""

    LIGANDS = "activating ligands"
    HLA = "HLA class I and its brakes"
    ADHESION = "adhesion and synapse"
    DEATH = "death machinery"
    SHIELDS = "shields"


class Effector(StrEnum):
    """The kinds of killer cells that experiments of the knowledge base used."""

    PRIMARY_NK = "primary NK"
    NK_92 = "NK-92"
    KHYG_1 = "KHYG-1"
    CAR_NK = "CAR-NK"
    NKL = "NKL"
    YT = "YT"
    MOUSE_NK = "mouse NK"
    UNKNOWN = UNKNOWN


class Strength(StrEnum):
    """How much a publication shows of a gene: several perturbations or models, one, or a hint."""

    STRONG = "strong"
    MODERATE = "moderate"
    WEAK = "weak"


class NKLiability(StrEnum):
    """What a drug does to NK cells themselves; ``spares``: looked at, and no harm was found."""

    HELPS = "helps"
    SPARES = "spares"
    UNKNOWN = UNKNOWN
    MIXED = "mixed"
    HARMS = "harms"
