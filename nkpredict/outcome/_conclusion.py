"""The one sentence about scores and an outcome, no louder than the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from nkpredict.facts import AssociationFacts

# Set by hand: the usual level, and the number of events below which a single event moves all.
SIGNIFICANT, FEWEST_EVENTS = 0.05, 10


def is_ordered(row: AssociationFacts) -> bool:
    """Whether the order of the events follows the row's order, by permutation and by Cox's model.

    Both must say so and in the same direction; a hazard ratio that cannot be fitted has no say.
    """
    return bool(row.p < SIGNIFICANT) and not _disagree(row)


def conclusion_of(rows: Sequence[AssociationFacts], samples: int, events: int) -> str:
    """Say what scores say about an outcome.

    Parameters
    ----------
    rows
        The score; where lineages are known also the score within them, and lineage alone.
    samples, events
        How many there were.
    """
    counted = f"{samples:,} samples, {events:,} events"
    if events < FEWEST_EVENTS:
        return (
            f"Too few events to say anything about this outcome ({counted}; "
            f"{FEWEST_EVENTS} are the least)."
        )
    overall, *within = rows
    found = f"{_words(overall)}; {counted}"
    if not within:
        if not overall.p < SIGNIFICANT:
            return f"The score says nothing about this outcome here ({found})."
        if _disagree(overall):
            return f"The tests disagree: {_ratio(overall)}. A hint at best ({found})."
        return (
            f"A higher score went with {_when(overall)} event ({found}). Lineages were not given, "
            "so this may be the lineage alone."
        )
    inside, lineage = within
    compared = f"{found}; within lineages {_words(inside)}; lineage alone {_words(lineage)}"
    if inside.p < SIGNIFICANT and _disagree(inside):
        return f"Within lineages the tests disagree: {_ratio(inside)}. A hint at best ({compared})."
    if inside.p < SIGNIFICANT:
        return f"Within lineages a higher score went with {_when(inside)} event ({compared})."
    if overall.p < SIGNIFICANT:
        return (
            f"Beyond lineage the score says nothing about this outcome here: a higher score went "
            f"with {_when(overall)} event over all samples, not within lineages ({compared})."
        )
    return f"The score says nothing about this outcome here ({compared})."


def _disagree(row: AssociationFacts) -> bool:
    later = row.concordance > 0.5
    return row.upper >= 1 if later else row.lower <= 1


def _ratio(row: AssociationFacts) -> str:
    return (
        f"a higher score went with {_when(row)} event by its order, but the hazard ratio is "
        f"{row.hazard_ratio:.2f} ({row.lower:.2f} to {row.upper:.2f})"
    )


def _words(row: AssociationFacts) -> str:
    return f"concordance {row.concordance:.2f}, p = {row.p:.2g}"


def _when(row: AssociationFacts) -> str:
    return "a later" if row.concordance > 0.5 else "an earlier"
