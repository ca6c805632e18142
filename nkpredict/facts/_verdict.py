"""What the scores of a cohort may be used for, and where its profiles come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nkpredict.facts._json import Facts
from nkpredict.vocabulary import VerdictLevel


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformFacts(Facts):
    """Platforms of the profiles and of the model, as told from the profiles themselves.

    Attributes
    ----------
    profiles
        Platform → number of profiles, see `nkpredict.vocabulary.Platform`.
    model
        Platforms that the model learned from, the main one first; empty when they are not known.
    foreign, bridged
        How many profiles another technology measured than the model's, and how many of these were
        brought to it before they were scored.
    """

    profiles: Mapping[str, int]
    model: tuple[str, ...]
    foreign: int
    bridged: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict(Facts):
    """What the scores of a cohort may be used for.

    Attributes
    ----------
    level
        The use in one of four words.
    sentence
        The same as advice.
    reasons
        Why it is no more than that, the reasons that decide first.
    """

    level: VerdictLevel
    sentence: str
    reasons: tuple[str, ...] = ()

    @property
    def cautious(self) -> bool:
        """Whether no single sample may be judged."""
        return self.level in (VerdictLevel.GROUPS, VerdictLevel.NOT_AT_ALL)
