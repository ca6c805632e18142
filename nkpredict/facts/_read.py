"""What was found and done when files were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan

from nkpredict.errors import name_some
from nkpredict.facts._json import Facts, VersionedFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpressionFacts(Facts):
    """An expression matrix: how it was recognised, and what became of its genes.

    The facts that end in ``_given`` say whether the user told what stands before them; at most ten
    examples are kept. ``sha256`` is empty for a folder and for what was in memory.

    ``values_from`` and ``gene_names_from`` say which of several matrices and columns was taken;
    ``annotation_set_aside`` what was no expression, and why; ``unlike_expression`` why the genes
    do not seem to rank within a sample as measured expression does, empty when they do.
    """

    file: str
    sha256: str
    samples: int
    orientation: str
    orientation_given: bool
    identifiers: str
    gene_reference: str
    unit: str
    unit_words: str
    unit_given: bool
    transform: str
    missing_values: int = 0
    profiles_other_than_default_dropped: int = 0
    genes_in_file: int
    genes: int
    genes_renamed: int = 0
    genes_renamed_examples: tuple[str, ...] = ()
    genes_restored_from_dates: int = 0
    genes_without_symbol_dropped: int = 0
    genes_superseded_dropped: int = 0
    genes_merged: int = 0
    genes_merged_examples: tuple[str, ...] = ()
    gene_names_ambiguous: int = 0
    gene_names_ambiguous_examples: tuple[str, ...] = ()
    gene_names_unknown: int = 0
    format: str = ""
    values_from: str = ""
    gene_names_from: str = ""
    annotation_set_aside: tuple[str, ...] = ()
    summary_rows_set_aside: int = 0
    genes_without_value_dropped: int = 0
    samples_without_value_dropped: tuple[str, ...] = ()
    duplicates: str | None = None
    genes_duplicated_collapsed: int = 0
    other_names_duplicated: int = 0
    unlike_expression: str = ""
    single_cells: bool = False
    notes: tuple[str, ...] = ()

    def remarks(self) -> tuple[str, ...]:
        """Say what was chosen, set aside and dropped while the profiles were read."""
        aside, dropped = self.annotation_set_aside, self.samples_without_value_dropped
        names = name_some(dropped, 6)
        said = (
            (self.gene_names_from, f"Gene names were taken from {self.gene_names_from}."),
            (aside, f"Set aside as annotation: {name_some(aside, 6)}."),
            (self.summary_rows_set_aside, f"{self.summary_rows_set_aside} rows with sums of reads "
             "were left out."),
            (self.genes_without_value_dropped, f"{self.genes_without_value_dropped:,} genes "
             "without any value were left out."),
            (dropped, f"{len(dropped)} samples without any value were left out: {names}."),
            (self.genes_duplicated_collapsed, f"{self.genes_duplicated_collapsed:,} genes that "
             f"stand more than once were taken together ({self.duplicates or 'equal values'})."),
            (self.single_cells, "The profiles look like single cells; each is read as a sample. "
             "nkpredict score --groupby gathers them by group."),
        )  # fmt: skip
        return (*self.notes, *(sentence for fact, sentence in said if fact))


@dataclass(frozen=True, kw_only=True, slots=True)
class AnnotationFacts(Facts):
    """A table of sample annotations."""

    file: str
    sha256: str
    samples_matched: int
    samples_without_annotation: int


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneticsFacts(Facts):
    """A table of mutations, copy numbers or subtypes."""

    file: str
    sha256: str
    features: int
    samples_with_genetics: int
    samples_without_genetics: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplicateFacts(Facts):
    """How far replicates agree, and the correlation no prediction can pass; NaN below two."""

    file: str | None = None
    sha256: str | None = None
    replicates: int
    replicate_spearman: float
    reliability_of_mean: float
    spearman_ceiling: float


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightFacts(Facts):
    """How lines count by the precision of their response; weights are 1 in the mean.

    ``replicate_sd`` is the standard deviation of the area of one replicate of a line.
    """

    replicate_sd: float
    least: float
    most: float
    lines_without_replicates: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ResponseFacts(Facts):
    """A measured response and its scale: susceptibility = ``offset`` + ``slope`` × original.

    ``offset`` and ``slope`` are NaN where the scale is not known.
    """

    file: str | None = None
    sha256: str | None = None
    format: str | None = None
    target: str | None = None
    direction: str = "as given"
    unit: str = "as given"
    susceptibility: str = "as given"
    offset: float = nan
    slope: float = nan
    samples_without_value: tuple[str, ...] | None = None
    lines_excluded_by_the_study: tuple[str, ...] | None = None
    lines_with_too_few_ratios: tuple[str, ...] | None = None
    lines_with_missing_ratios: int | None = None
    lines_extrapolated: tuple[str, ...] | None = None
    measurements: int | None = None
    most_repeats: int | None = None
    replicates: ReplicateFacts | None = None
    weights: WeightFacts | None = None
    simulated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelFacts(Facts):
    """Profiles and response, joined by the names of the samples."""

    samples: int
    genes: int
    matched_by: str
    samples_without_response: int
    samples_without_expression: tuple[str, ...]
    lineages: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadFacts(VersionedFacts):
    """Everything about profiles that were read; lies in ``adata.uns["nkpredict"]`` as JSON."""

    expression: ExpressionFacts | None = None
    annotations: AnnotationFacts | None = None
    genetics: GeneticsFacts | None = None
    response: ResponseFacts | None = None
    panel: PanelFacts | None = None
    simulated: bool = False
