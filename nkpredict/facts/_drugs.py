"""What tables of drugs and their targets were read and joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nkpredict.facts._json import Facts


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetFileFacts(Facts):
    """A file of drugs and targets: rows read, renamed and dropped."""

    file: str
    sha256: str
    layout: str
    encoding: str | None = None
    counts: Mapping[str, int] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetFacts(Facts):
    """All files of a table of targets; ``counts`` of their joining, pairs of two joined tables."""

    files: tuple[TargetFileFacts, ...] = ()
    gene_names: str | None = None
    counts: Mapping[str, int] | None = None
    pairs_of_the_first_table: int | None = None
    pairs_added: int | None = None
    pairs_left_to_the_first_table: int | None = None
