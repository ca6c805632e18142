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


class Meeting(StrEnum):
    """What a protein of the tumour cell does where it meets the NK cell."""

    ACTIVATING = "activating"
    ADHESION = "adhesion"
    INHIBITORY = "inhibitory"
    DEATH = "death"


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


class GeneReading(StrEnum):
    """What a list of genes is about: which samples it compares with what.

    ``AGAINST_REFERENCE``: genes whose mean contribution over the samples is below 0, the average
    profile that the model was made from. ``SEPARATING``: genes that lower the least susceptible
    third of the samples more than the others. ``SINGLE_SAMPLES``: genes that lower one sample at
    least, whatever they do to the others; for what acts on single samples, such as drugs.
    """

    AGAINST_REFERENCE = "against the reference"
    SEPARATING = "separating these samples"
    SINGLE_SAMPLES = "in single samples"


class EvidenceRole(StrEnum):
    """What published evidence was to a model, and so what agreement with it is worth."""

    SOLE_SOURCE = "sole source of the score"
    USED_IN_TRAINING = "used in training"
    INDEPENDENT = "not used in training"
    NONE = "none"


class EvidenceReading(StrEnum):
    """How the model's direction of a gene stands to evidence of that gene's own."""

    AGREES = "agrees"
    CONFLICTS = "conflicts"
    AGREES_BUILT_IN = "agrees, used in training"
    CONFLICTS_BUILT_IN = "conflicts, though used in training"
    TAKEN_OVER = "taken from published experiments"
    UNCLEAR = "unclear"
    NO_EVIDENCE = "no evidence"


class Platform(StrEnum):
    """What profiles were measured with and of what: the two things that move all levels at once."""

    ARRAY = "HG-U219 array, cell lines"
    RNA_SEQ = "RNA-seq, cell lines"
    RNA_SEQ_PATIENTS = "RNA-seq, patients"
    OLD_ARRAY_PATIENTS = "HG-U95Av2 array, patients"
    UNKNOWN = UNKNOWN

    @property
    def technology(self) -> str:
        """What measured the profiles, whatever they are of."""
        return self.value.partition(",")[0]

    @property
    def patients(self) -> bool:
        """Whether the profiles are of patients; False when it is not known."""
        return self.value.endswith("patients")


class VerdictLevel(StrEnum):
    """What the scores of a cohort may be used for, from most to least."""

    ABSOLUTE = "usable for absolute values"
    RANKING = "usable for ranking within this cohort"
    GROUPS = "usable for groups only"
    NOT_AT_ALL = "not usable"


class NKLiability(StrEnum):
    """What a drug does to NK cells themselves; ``spares``: looked at, and no harm was found."""

    HELPS = "helps"
    SPARES = "spares"
    UNKNOWN = UNKNOWN
    MIXED = "mixed"
    HARMS = "harms"
