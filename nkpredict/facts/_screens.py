"""What screens and gene sets were read, and how screens were combined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nkpredict.facts._json import Facts


@dataclass(frozen=True, kw_only=True, slots=True)
class ScreenFileFacts(Facts):
    """A file of screens: rows read, repaired and dropped, and what was taken for granted."""

    file: str
    sha256: str
    layout: str
    screens: tuple[str, ...]
    counts: Mapping[str, int]
    assumptions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScreenFacts(Facts):
    """All files of screens that were read together.

    ``experiments`` gives the experiment of screens that analyse the same cells as others.
    """

    files: tuple[ScreenFileFacts, ...] = ()
    gene_names: str | None = None
    metadata_without_screen: tuple[str, ...] = ()
    experiments: Mapping[str, str] | None = None
    sign: str | None = None
    simulated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ExperimentFacts(Facts):
    """A screen, its replicates merged, as it went into the evidence; by replicate where several.

    ``signs_joined`` counts p-values that another analysis of the same cells gave a sign.
    """

    experiment: str
    effector: str
    weight: float
    inflation: Mapping[str, float | None]
    replicate_correlation: float | None
    replicate_noise: float | None
    core_essential_shift: Mapping[str, float | None]
    signs_joined: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceFacts(Facts):
    """Evidence of genes; a seed when the genes were shuffled."""

    simulated: bool = False
    shuffled_with_seed: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CombinationFacts(EvidenceFacts):
    """Screens combined into evidence: by which method and constants, and for how many genes.

    ``knowledge_left_out`` says why the knowledge base takes no part, where that was a choice.
    """

    method: str
    screens: tuple[ExperimentFacts, ...]
    left_out_effector_is_t_cell: tuple[str, ...]
    constants: Mapping[str, float]
    source: ScreenFacts
    genes: int
    genes_with_evidence: int
    genes_by_hit_rule_only: int
    genes_in_conflict: int
    knowledge_left_out: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChanceFacts(Facts):
    """Genes of a study named beforehand: how many pass a limit of p, and how many by chance.

    ``directions`` counts the genes, also those picked otherwise, to which the study gives one.
    """

    study: str
    effector: str
    directions: int
    genes: int
    threshold: float
    found: int
    expected: float

    def sentence(self) -> str:
        """Say it in words."""
        return (
            f"{self.study} ({self.effector}): {self.directions} genes with a direction; of "
            f"{self.genes} genes named beforehand {self.found} have p < {self.threshold:g}, where "
            f"chance alone gives {self.expected:.0f}."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class KnowledgeFacts(EvidenceFacts):
    """Evidence out of the knowledge base: its tables, and the DOI of each study.

    ``hits_left_out`` names studies whose own table is among the screens, ``this_line_only`` genes
    known from one line alone, ``screens`` how screens given beside the knowledge were combined.
    """

    source: str
    studies: Mapping[str, str]
    effector: str | None = None
    experiments: int | None = None
    hits: int | None = None
    genes_with_evidence: int | None = None
    genes_in_conflict: int | None = None
    chance: tuple[ChanceFacts, ...] = ()
    hits_left_out: tuple[str, ...] = ()
    this_line_only: tuple[str, ...] = ()
    constants: Mapping[str, float] | None = None
    screens: CombinationFacts | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneSetFacts(Facts):
    """Gene sets scored as features; ``left_out`` says why a set is not used."""

    source: str
    used: int
    left_out: Mapping[str, str]
    genes_named: int
    genes_used: int
