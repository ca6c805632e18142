"""What scores may be used for, as commands say it first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nkpredict.cli._console import say

if TYPE_CHECKING:
    from nkpredict.facts import Verdict


def say_verdict(verdict: Verdict) -> None:
    """Print the verdict and its reasons."""
    say(f"VERDICT: {verdict.level}. {verdict.sentence}")
    for reason in verdict.reasons:
        say(f"Because: {reason}")
