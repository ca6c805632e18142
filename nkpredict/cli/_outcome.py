"""What scores say about an outcome, on the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nkpredict.cli._console import print_table, say

if TYPE_CHECKING:
    from nkpredict.outcome import OutcomeAssociation


def print_outcome(outcome: OutcomeAssociation) -> None:
    """Print what was taken for an event, the tests and the conclusion."""
    facts = outcome.facts
    rows = [
        [
            row.order,
            row.concordance,
            _p(row.p),
            "–" if row.hazard_ratio != row.hazard_ratio else f"{row.hazard_ratio:.2f}",
            "–" if row.lower != row.lower else f"{row.lower:.2f} to {row.upper:.2f}",
            _p(row.log_rank_p),
        ]
        for row in facts.associations
    ]
    columns = ["order", "concordance", "p", "hazard ratio", "95 % interval", "log-rank p"]
    print_table(f"Outcome: {facts.columns.time}", columns, rows)
    say(outcome_words(outcome))
    say(facts.conclusion)
    for warning in facts.warnings:
        say(f"Note: {warning}")


def outcome_words(outcome: OutcomeAssociation) -> str:
    """Say which values of the column counted as an event."""
    columns = outcome.facts.columns
    none = ", ".join(columns.no_event_values) or "nothing"
    return (
        f"Event: {columns.event} is {' or '.join(columns.event_values)}; no event: {none}. "
        f"{outcome.facts.samples} samples with {outcome.facts.events} events; "
        f"{columns.without_time} lack the time, {columns.without_event} the event."
    )


def _p(value: float) -> str:
    return "–" if value != value else f"{value:.2g}"
