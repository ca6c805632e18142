"""What a look at profiles found, before they are scored."""

from __future__ import annotations

from dataclasses import dataclass

from nkpredict.facts._json import Facts, VersionedFacts
from nkpredict.facts._read import ExpressionFacts
from nkpredict.facts._verdict import PlatformFacts, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelCoverageFacts(Facts):
    """How much of a model profiles hold; the shares are those of the poorest and richest sample."""

    name: str
    knowledge_only: bool
    genes_in_model: int
    genes_found: int
    least_weight_coverage: float
    most_weight_coverage: float
    samples_below_floor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectionFacts(VersionedFacts):
    """What was found in profiles, how much of a model they hold, and whether it would score them.

    Attributes
    ----------
    source
        File or folder looked at.
    scored
        Whether ``nkpredict score`` would give numbers without ``--force``.
    verdict
        The same in words, with the reason.
    usable
        What the scores could be used for; None when the profiles were refused unread.
    platform
        Where the profiles come from; None when that is not known.
    expression
        What was read; None when the profiles were refused.
    model
        Coverage of the model; None when the profiles were refused.
    """

    source: str
    scored: bool
    verdict: str
    usable: Verdict | None = None
    platform: PlatformFacts | None = None
    expression: ExpressionFacts | None = None
    model: ModelCoverageFacts | None = None
