"""What profiles must hold before a model gives a number for them."""

from __future__ import annotations

import numpy as np

from nkpredict.errors import InputError, name_some
from nkpredict.facts import ExpressionFacts
from nkpredict.learn._gene_model import GeneModel
from nkpredict.learn._harmonised import HarmonisedProfiles
from nkpredict.types import BoolArray

LEAST_WEIGHT_COVERAGE = 0.5
"""Share of a model's weight that must be measured in a sample; set by hand."""
LEAST_GENE_COVERAGE = 0.1
"""Share of a model's genes that must be measured, so that ranks mean something; set by hand."""


def too_little_measured(model: GeneModel, prepared: HarmonisedProfiles) -> BoolArray:
    """Tell which samples lack too much of a model to be scored.

    Parameters
    ----------
    model
        Fitted.
    prepared
        Profiles prepared by it.

    Returns
    -------
    numpy.ndarray
        One truth value a sample.
    """
    genes = (~np.isnan(prepared.given.values)).mean(axis=1)
    covered = model.weight_coverage(prepared)
    return np.asarray((covered < LEAST_WEIGHT_COVERAGE) | (genes < LEAST_GENE_COVERAGE))


def require_readable(
    model: GeneModel, prepared: HarmonisedProfiles, expression: ExpressionFacts | None
) -> None:
    """Refuse profiles that a model cannot give a number for.

    Parameters
    ----------
    model
        Fitted.
    prepared
        Profiles prepared by it.
    expression
        What was found when they were read.

    Raises
    ------
    InputError
        When too little of the model is measured in a sample, or the genes do not rank within a
        sample as expression does, as after centring them across samples.
    """
    if expression is not None and expression.unlike_expression:
        raise InputError(
            f"{expression.file} does not rank the genes within a sample as measured expression "
            f"does ({expression.unlike_expression}), and the model reads these ranks. The values "
            "may be centred or scaled gene by gene across the samples, turned, or under the names "
            "of other genes; expected the expression before scaling (of an AnnData a layer or raw: "
            "--layer). With --force they are scored all the same, every output marked."
        )
    poor = too_little_measured(model, prepared)
    if not poor.any():
        return
    genes = (~np.isnan(prepared.given.values)).sum(axis=1)[poor]
    covered = model.weight_coverage(prepared)[poor]
    least = LEAST_WEIGHT_COVERAGE
    what = "evidence" if model.knowledge_only else "weight"
    raise InputError(
        f"{int(poor.sum())} of {len(poor)} samples hold too little of the model "
        f"({name_some(prepared.samples[poor])}): {genes.min():,} of its "
        f"{len(model.feature_names_in_):,} genes and {covered.min():.0%} of its {what} where there "
        f"is least; expected {LEAST_GENE_COVERAGE:.0%} of the genes and {least:.0%} of the {what}. "
        "Look at the identifiers (nkpredict inspect), give all measured genes (of an AnnData "
        "--layer raw), leave these samples out, or score them all the same, every output marked, "
        "with --force."
    )
