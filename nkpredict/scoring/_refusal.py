"""Profiles that cannot be scored are refused, unless the user wants them scored all the same."""

from __future__ import annotations

from nkpredict.errors import InputError
from nkpredict.facts import ExpressionFacts
from nkpredict.learn import GeneModel, HarmonisedProfiles, require_readable


def refused(
    model: GeneModel,
    prepared: HarmonisedProfiles,
    expression: ExpressionFacts | None,
    force: bool,
) -> str:
    """Refuse what cannot be scored; of what is scored all the same say why it was not to be.

    Parameters
    ----------
    model, prepared, expression
        As `nkpredict.learn.require_readable` takes them.
    force
        Whether the user wants it scored all the same.

    Returns
    -------
    str
        Why it would have been refused; empty when it would not.

    Raises
    ------
    InputError
        When it is refused.
    """
    try:
        require_readable(model, prepared, expression)
    except InputError as refusal:
        if not force:
            raise
        return str(refusal).partition(" With --force")[0].rpartition(";")[0]
    return ""
