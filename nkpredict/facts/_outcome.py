"""What is known about scores held against an outcome in time."""

from __future__ import annotations

from dataclasses import dataclass

from nkpredict.facts._json import Facts


@dataclass(frozen=True, kw_only=True, slots=True)
class OutcomeColumnFacts(Facts):
    """Which columns told the outcome, and how.

    Attributes
    ----------
    time, event
        Names of the columns.
    event_values, no_event_values
        What stood in the column of events and was taken as an event, and as none.
    without_time, without_event
        Samples with a score that lack the one or the other; they were left out.
    """

    time: str
    event: str
    event_values: tuple[str, ...]
    no_event_values: tuple[str, ...]
    without_time: int
    without_event: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AssociationFacts(Facts):
    """How one order of the samples goes with the time to the event; NaN where nothing can be said.

    Attributes
    ----------
    order
        What put the samples in order: the score, the score within lineages, or lineage alone.
    concordance
        Share of pairs of which the higher one has the later event (Harrell's C); 0.5 is chance.
    pairs
        Pairs of samples of which it is known whose event came first.
    p
        Two-sided, by permutation.
    hazard_ratio, lower, upper, hazard_p
        Of a Cox model, per standard deviation of the score, with its 95 % interval.
    log_rank_p
        Of the groups: thirds of the score, or the lineages.
    """

    order: str
    concordance: float
    pairs: int
    p: float
    hazard_ratio: float
    lower: float
    upper: float
    hazard_p: float
    log_rank_p: float


@dataclass(frozen=True, kw_only=True, slots=True)
class OutcomeFacts(Facts):
    """What scores say about an outcome, in numbers and in one sentence.

    Attributes
    ----------
    columns
        Where the outcome stood.
    samples, events, lineages
        Samples that were used, their events and the number of their lineages, 0 when not given.
    permutations, random_state
        How p was computed.
    associations
        The score, within lineages too where they are known, and lineage alone beside it.
    says_something
        Whether the order of the events follows that of the scores, within lineages where known.
    conclusion
        The sentence to read.
    warnings
        What makes the numbers weak.
    """

    columns: OutcomeColumnFacts
    samples: int
    events: int
    lineages: int
    permutations: int
    random_state: int
    associations: tuple[AssociationFacts, ...]
    says_something: bool
    conclusion: str
    warnings: tuple[str, ...] = ()
