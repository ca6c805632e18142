"""Look at profiles before minutes are spent: what would be read, and would a model score it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

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
from nkpredict.scoring._single_cells import cells_in, refusal_of_cells
from nkpredict.scoring._table import score_table
from nkpredict.scoring._verdict import verdict_of

if TYPE_CHECKING:
    from anndata import AnnData


def inspect_profiles(
    profiles: str | Path | pd.DataFrame | AnnData,
    model: str | Path | Bundle | GeneModel | KillingCurveModel | None = None,
    *,
    registry: str | Path | Registry | None = None,
    options: ReadingOptions | None = None,
) -> InspectionFacts:
    """Tell what `nkpredict.score` would read in profiles and whether it would give numbers.

    Single cells are recognised by the first of them; the others are not read.

    Parameters
    ----------
    profiles
        What `nkpredict.score` takes: file or folder (see `nkpredict.read_expression`), DataFrame,
        or AnnData in memory or backed.
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
    if isinstance(profiles, str | Path) and not Path(profiles).exists():
        raise InputError(
            f"There is no file {profiles}; expected expression profiles. Check the path."
        )
    bundle = bundle_of(model, registry)
    options = replace(options or ReadingOptions(), known=genes_of(bundle), known_alone=True)
    called = _called(profiles)
    try:
        cells = cells_in(profiles, options)
        if cells is None:
            return _looked_at(profiles, bundle, options, called)
    except InputError as unreadable:
        return InspectionFacts(source=called, scored=False, verdict=f"Refused. {unreadable}")
    refusal = f"Refused. {refusal_of_cells(cells)}"
    cells_alone = InspectionFacts(source=called, scored=False, verdict=refusal)
    if cells.first is None:
        return cells_alone
    try:
        plain = replace(options, layer=None, var_column=None, obs=None)
        found = _looked_at(cells.first, bundle, plain, called)
    except InputError:  # one of the first cells may hold no read
        return cells_alone
    read = found.expression
    return replace(
        found,
        scored=False,
        verdict=refusal,
        expression=None
        if read is None
        else replace(
            read, file=called, format=cells.format, samples=cells.cells, single_cells=True
        ),
    )


def _called(profiles: object) -> str:
    if isinstance(profiles, str | Path):
        return str(profiles)
    return "DataFrame" if isinstance(profiles, pd.DataFrame) else "AnnData"


def _looked_at(
    profiles: str | Path | pd.DataFrame | AnnData,
    bundle: Bundle,
    options: ReadingOptions,
    called: str,
) -> InspectionFacts:
    adata = read_profiles(profiles, options)
    prepared = bundle.model.prepare(adata)
    expression = facts_of(adata).expression
    refused = ""
    try:
        require_readable(bundle.model, prepared, expression)
    except InputError as refusal:
        refused = str(refusal)
    own = bundle.model.recognised(prepared)
    provenance = provenance_of(adata, bundle, prepared, own, refused)
    table = score_table(prepared, bundle, own, refused)
    return InspectionFacts(
        source=called,
        scored=not refused,
        verdict=f"Refused. {refused}" if refused else "Can be scored.",
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
