"""Look at profiles before minutes are spent: what would be read, and would a model score it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from nkpredict.errors import InputError
from nkpredict.facts import InspectionFacts, ModelCoverageFacts
from nkpredict.io import ReadingOptions, facts_of, read_profiles
from nkpredict.learn import (
    GeneModel,
    HarmonisedProfiles,
    KillingCurveModel,
    require_readable,
    too_little_measured,
)
from nkpredict.registry import Bundle, Registry
from nkpredict.scoring._bundle_of import bundle_of, genes_of
from nkpredict.scoring._provenance import provenance_of
from nkpredict.scoring._table import score_table
from nkpredict.scoring._verdict import verdict_of


def inspect_profiles(
    path: str | Path,
    model: str | Path | Bundle | GeneModel | KillingCurveModel | None = None,
    *,
    registry: str | Path | Registry | None = None,
    options: ReadingOptions | None = None,
) -> InspectionFacts:
    """Tell what `nkpredict.score` would read in a file and whether it would give numbers.

    Parameters
    ----------
    path
        File or folder of profiles; see `nkpredict.read_expression`.
    model, registry
        As `nkpredict.score` takes them.
    options
        What is known about the profiles.

    Returns
    -------
    InspectionFacts
        What refuses the profiles is its verdict, and no error.

    Raises
    ------
    InputError
        When there is no such file.
    RegistryError, BundleError
        When the model is not found or damaged.
    """
    if not Path(path).exists():
        raise InputError(f"There is no file {path}; expected expression profiles. Check the path.")
    bundle = bundle_of(model, registry)
    options = replace(options or ReadingOptions(), known=genes_of(bundle))
    try:
        adata = read_profiles(path, options)
        prepared = bundle.model.prepare(adata)
    except InputError as refusal:
        return InspectionFacts(source=str(path), scored=False, verdict=f"Refused. {refusal}")
    expression = facts_of(adata).expression
    refused = ""
    try:
        require_readable(bundle.model, prepared, expression)
    except InputError as refusal:
        refused = str(refusal)
    cells = expression is not None and expression.single_cells
    verdict = f"Refused. {refused}" if refused else "Can be scored."
    if cells and not refused:
        verdict = (
            "Can be scored, but these look like single cells: nkpredict score asks how to gather "
            "them (--groupby COLUMN adds the counts of each group up, --groupby none gives one "
            "number a cell)."
        )
    own = bundle.model.recognised(prepared)
    provenance = provenance_of(adata, bundle, prepared, own, refused)
    table = score_table(prepared, bundle, own, refused)
    return InspectionFacts(
        source=str(path),
        scored=not refused,
        verdict=verdict,
        usable=verdict_of(table, provenance, bundle.model),
        platform=provenance.platform,
        expression=expression,
        model=_coverage(bundle, prepared),
    )


def _coverage(bundle: Bundle, prepared: HarmonisedProfiles) -> ModelCoverageFacts:
    model = bundle.model
    measured = ~np.isnan(prepared.given.values)
    covered = model.weight_coverage(prepared)
    return ModelCoverageFacts(
        name=bundle.metadata.name or "model without a name",
        knowledge_only=model.knowledge_only,
        genes_in_model=measured.shape[1],
        genes_found=int(measured.any(axis=0).sum()),
        least_weight_coverage=float(covered.min()),
        most_weight_coverage=float(covered.max()),
        samples_below_floor=int(too_little_measured(model, prepared).sum()),
    )
