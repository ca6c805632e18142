"""What was done to explain a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nkpredict.facts._json import Facts


@dataclass(frozen=True, kw_only=True, slots=True)
class CarryFacts(Facts):
    """How far co-regulated genes moved along with a perturbed one."""

    from_correlation: float
    reference_profiles: int
    genes_carried_on_average: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PerturbationFacts(Facts):
    """A virtual perturbation: where the genes went, and which were there or not measured."""

    simulated: bool = False
    kind: str
    level: str
    genes: int
    already_at_the_end: int
    not_measured: int
    carried: CarryFacts | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StabilityFacts(Facts):
    """How a model was refitted, and what counted as selected."""

    simulated: bool = False
    resampling: str
    resamples: int
    random_state: int
    top: int
    cluster_correlation: float


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneListFacts(Facts):
    """A list of genes: what it is about, its length, and how many have evidence of their own.

    ``clear`` counts the genes whose mean lies clearly below 0; None where that was not asked.
    """

    reading: str
    genes: int
    with_evidence: int
    clear: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplanationFacts(Facts):
    """What the lists of genes behind scores rest on.

    Attributes
    ----------
    evidence_role
        What published evidence was to the model.
    studies
        Study → DOI of evidence out of the knowledge base.
    screens
        Names of the screens that were combined into the evidence, where it was made from screens.
    target_lines, effectors
        Tumour lines and killer cells of the evidence behind the listed genes, where they are on
        record.
    genes_with_lines, genes_of_one_line
        Listed genes whose lines are on record, and line → how many have evidence from it alone.
    genes_compared, genes_agreeing
        Genes of the model that have evidence and a slope, and those whose slope points its way.
    against_reference, separating
        The two lists; None where the cohort is too small to be separated.
    """

    evidence_role: str
    studies: Mapping[str, str]
    screens: tuple[str, ...] = ()
    target_lines: tuple[str, ...] = ()
    effectors: tuple[str, ...] = ()
    genes_with_lines: int = 0
    genes_of_one_line: Mapping[str, int]
    genes_compared: int = 0
    genes_agreeing: int = 0
    against_reference: GeneListFacts
    separating: GeneListFacts | None = None
