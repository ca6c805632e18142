"""Whether a comparison of two cohorts means something, as far as scoring knows."""

from __future__ import annotations

from nkpredict.facts import CohortFacts

COMPARABLE, WITH_CARE, MEANINGLESS = "comparable", "with care", "means nothing"
"""Verdicts, the best first."""

# Set by hand.
_MOST_OUTSIDE = 0.5  # share of a cohort outside the domain that speaks for another platform
_COVERAGE = 0.1  # difference of the share of a model's weight that is measured
_SEQUENCED, _ARRAY = "RNA-seq", "array"
# Units that only one kind of platform gives; log2 values may be of either.
_KINDS = {"counts": _SEQUENCED, "tpm": _SEQUENCED, "log2_intensity": _ARRAY}


def verdict_of(
    first: CohortFacts,
    second: CohortFacts,
    *,
    knowledge_only: bool,
    by_lineage: bool,
    shared: int = 0,
) -> tuple[str, tuple[str, ...]]:
    """Say whether two cohorts can be compared on one scale, and why not.

    Parameters
    ----------
    first, second
        What is known about the cohorts.
    knowledge_only
        Whether the model has learned no response.
    by_lineage
        Whether lineages are compared each by itself.
    shared
        Samples of one name and one score in both cohorts.

    Returns
    -------
    verdict : str
        One of ``COMPARABLE``, ``WITH_CARE`` and ``MEANINGLESS``.
    reasons : tuple of str
        Sentences.
    """
    against, careful = _against(first, second), _careful(first, second)
    if shared:
        careful.append(f"{shared} samples are in both cohorts: what they share hides a difference.")
    if knowledge_only and not by_lineage:
        careful.append(
            "The score of published knowledge does not order lineages as they were measured: "
            "compare samples of one lineage (--lineage)."
        )
    if against:
        return MEANINGLESS, (*against, *careful)
    return (WITH_CARE if careful else COMPARABLE), tuple(careful)


def _against(first: CohortFacts, second: CohortFacts) -> list[str]:
    said = [
        f"{one.name} would have been refused by the model and was scored by force."
        for one in (first, second)
        if one.forced
    ]
    kinds = [_KINDS.get(one.unit or "") for one in (first, second)]
    if None not in kinds and kinds[0] != kinds[1]:
        said.append(
            f"{first.name} is from {kinds[0]} and {second.name} from {kinds[1]}: platforms move "
            "the level of scores by most of a standard deviation, and the difference may be "
            "theirs."
        )
    outside = [one for one in (first, second) if one.outside > _MOST_OUTSIDE]
    if len(outside) == 1:
        one, other = outside[0], second if outside[0] is first else first
        said.append(
            f"{one.outside:.0%} of {one.name} lies outside the domain of the model (median novelty "
            f"{one.novelty:.1f}, the edge is 1), {other.name} does not: another platform or "
            "disease, and the difference may come from that alone."
        )
    return said


def _careful(first: CohortFacts, second: CohortFacts) -> list[str]:
    said, both = [], (first, second)
    if all(one.outside > _MOST_OUTSIDE for one in both):
        said.append(
            "Most samples of both cohorts lie outside the domain of the model: compare them only "
            "if they come from one platform, and read no absolute values."
        )
    if abs(first.weight_coverage - second.weight_coverage) > _COVERAGE:
        said.append(
            f"{first.weight_coverage:.0%} of the model's weight is measured in {first.name} and "
            f"{second.weight_coverage:.0%} in {second.name}: missing genes count as average and "
            "move the level."
        )
    said += [
        f"{one.own_reference} of the {one.samples} samples of {one.name} are profiles the model "
        "was made from."
        for one in both
        if one.own_reference and one.outside == one.outside
    ]
    return said
