"""What scores may be used for, as commands say it first."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from nkpredict.cli._console import say

if TYPE_CHECKING:
    from nkpredict.facts import Verdict

_WIDTH = 80


def say_verdict(verdict: Verdict) -> None:
    """Print the verdict, what it means and its reasons."""
    say(f"VERDICT: {verdict.level}")
    say(fill(verdict.sentence, _WIDTH))
    for reason in verdict.reasons:
        say(fill(reason, _WIDTH, initial_indent="  - ", subsequent_indent="    "))
    say("")
