"""The facts that go along with profiles: plain values in ``uns``, which AnnData can write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nkpredict.facts import ReadFacts

if TYPE_CHECKING:
    from anndata import AnnData

_KEY = "nkpredict"


def facts_of(adata: AnnData) -> ReadFacts:
    """Return what is on record about profiles; empty facts for those of another source.

    Raises
    ------
    InputError
        When the record was altered.
    """
    return ReadFacts.from_json(adata.uns.get(_KEY, {}))


def record_facts(adata: AnnData, facts: ReadFacts) -> None:
    """Keep facts with profiles, which are changed in place."""
    adata.uns[_KEY] = facts.to_json()
