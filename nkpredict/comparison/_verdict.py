"""Whether a comparison of two cohorts means something, as far as scoring knows."""

from __future__ import annotations

from nkpredict.facts import CohortFacts
from nkpredict.vocabulary import VerdictLevel

COMPARABLE, WITH_CARE, MEANINGLESS = "comparable", "with care", "means nothing"
"""Verdicts, the best first."""

# Set by hand.
_MOST_OUTSIDE = 0.5  # share of a cohort outside the domain that speaks for another platform
_COVERAGE = 0.1  # difference of the share of a model's weight that is measured


def verdict_of(
    first: CohortFacts,
    second: CohortFacts,
    *,
    knowledge_only: bool,
    by_lineage: bool,
    without_lineage: tuple[str, ...] = (),
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
    without_lineage
        Names of cohorts whose lineages were asked for and are not known.
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
    if without_lineage:
        careful.append(
            f"The lineages of {' and '.join(without_lineage)} are not known, so they are not "
            "compared each by itself."
        )
    if knowledge_only and not by_lineage:
        careful.append(
            "The score of published knowledge does not order lineages as they were measured: "
            "compare samples of one lineage (--lineage)."
        )
    if against:
        return MEANINGLESS, (*against, *careful)
    return (WITH_CARE if careful else COMPARABLE), tuple(careful)


def _against(first: CohortFacts, second: CohortFacts) -> list[str]:
    both = (first, second)
    said = [
        f"{one.name}: {reason}"
        for one in both
        if one.verdict is not None and one.verdict.level is VerdictLevel.NOT_AT_ALL
        for reason in one.verdict.reasons[:1]
    ]
    said += [
        f"{one.name} was mapped as a whole onto the model's profiles, which took its level off."
        for one in both
        if one.relative
    ]
    kinds = [one.technology for one in both]
    if kinds[0] != kinds[1] and not any(one.bridged for one in both):
        known = [f"{one.name} {_measured(one)}" for one in both]
        said.append(
            f"{' and '.join(known)}: platforms move the level of scores by most of a standard "
            "deviation, and the difference may be theirs."
        )
    outside = [one for one in both if one.outside > _MOST_OUTSIDE]
    if len(outside) == 1:
        one, other = outside[0], second if outside[0] is first else first
        said.append(
            f"{one.outside:.0%} of {one.name} lies outside the domain of the model (median novelty "
            f"{one.novelty:.1f}, the edge is 1), {other.name} does not: another platform or "
            "disease, and the difference may come from that alone."
        )
    return said


def _measured(cohort: CohortFacts) -> str:
    if cohort.technology is None:
        return "is of no known platform"
    return f"was measured by {cohort.technology}"


def _careful(first: CohortFacts, second: CohortFacts) -> list[str]:
    said, both = [], (first, second)
    groups = [
        one for one in both if one.verdict is not None and one.verdict.level is VerdictLevel.GROUPS
    ]
    # a reason that both have is said once
    for reason in dict.fromkeys(
        r for one in groups if one.verdict for r in one.verdict.reasons[:1]
    ):
        whose = [one.name for one in groups if one.verdict and reason in one.verdict.reasons[:1]]
        said.append(f"{' and '.join(whose)}: {reason}")
    if first.technology != second.technology and any(one.bridged for one in both):
        said.append(
            f"{first.name} {_measured(first)}, {second.name} {_measured(second)}: levels were "
            "moved to one platform, which is not exact."
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
