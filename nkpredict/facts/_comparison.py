"""What is known about two cohorts that were compared."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from nkpredict.facts._json import Facts, VersionedFacts
from nkpredict.facts._verdict import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortFacts(Facts):
    """One of two cohorts.

    Attributes
    ----------
    name, source
        What to call it; the file or folder it came from, empty for what was in memory.
    samples
        Samples with a score.
    technology
        What measured most of the profiles, as told from themselves; None where that is not known.
    bridged
        Whether profiles of another technology than the model's were brought to it.
    relative
        Whether the cohort was mapped as a whole onto the model's profiles, which takes its level.
    verdict
        What its scores may be used for; None for the model's own reference.
    outside
        Share of the samples outside the domain of the model; NaN for the model's own reference.
    novelty, weight_coverage
        Medians over the samples.
    own_reference
        Samples that the model was made from.
    forced, simulated
        Whether the scores were asked for against a refusal; whether profiles are simulated.
    """

    name: str
    source: str = ""
    samples: int
    technology: str | None = None
    bridged: bool = False
    relative: bool = False
    verdict: Verdict | None = None
    outside: float = nan
    novelty: float = nan
    weight_coverage: float = nan
    own_reference: int = 0
    forced: bool = False
    simulated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DifferenceFacts(Facts):
    """How two cohorts differ, over all samples, in one lineage or within lineages.

    Attributes
    ----------
    stratum
        ``all samples``, the name of a lineage, or ``within lineages``.
    samples_a, samples_b
        Samples compared.
    lower_quartile_a, median_a, upper_quartile_a, lower_quartile_b, median_b, upper_quartile_b
        Of the scores; NaN within lineages.
    shift, shift_lower, shift_upper
        Median of the differences of all pairs of samples, first minus second cohort, and its 95 %
        interval (Hodges & Lehmann 1963); NaN within lineages.
    superiority, superiority_lower, superiority_upper
        Probability that a sample of the first cohort has the higher score, and its 95 % interval;
        0.5 is no difference.
    overlap
        Share that two distributions have in common, 1 minus the largest difference of their
        cumulative distributions; NaN within lineages.
    p
        Two-sided, Mann-Whitney; within lineages van Elteren's test.
    """

    stratum: str
    samples_a: int
    samples_b: int
    lower_quartile_a: float = nan
    median_a: float = nan
    upper_quartile_a: float = nan
    lower_quartile_b: float = nan
    median_b: float = nan
    upper_quartile_b: float = nan
    shift: float = nan
    shift_lower: float = nan
    shift_upper: float = nan
    superiority: float
    superiority_lower: float
    superiority_upper: float
    overlap: float = nan
    p: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonFacts(VersionedFacts):
    """Two cohorts on the scale of one model, what that is worth, and how they differ.

    Attributes
    ----------
    first, second
        The cohorts.
    model, version, sha256
        The model that scored both.
    verdict, reasons
        Whether the comparison means something, and why.
    differences
        Over all samples first; then, where lineages are known, within them and in each of them.
    lineages_left_out
        Lineages with too few samples in one of the cohorts.
    genes
        Genes that contribute to any sample.
    simulated
        Whether profiles or model are simulated.
    """

    first: CohortFacts
    second: CohortFacts
    model: str | None = None
    version: int | None = None
    sha256: str | None = None
    verdict: str
    reasons: tuple[str, ...] = ()
    differences: tuple[DifferenceFacts, ...]
    lineages_left_out: tuple[str, ...] = ()
    genes: int
    simulated: bool = False
