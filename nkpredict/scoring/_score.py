"""Score a cohort: susceptibility, its uncertainty and its genes, each sample by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.features import Profiles, ProfilesLike
from nkpredict.io import (
    Duplicates,
    Orientation,
    ReadingOptions,
    add_genetics,
    facts_of,
    read_profiles,
)
from nkpredict.learn import (
    GeneModel,
    HarmonisedProfiles,
    KillingCurveModel,
    relative_to_cohort,
)
from nkpredict.outcome import OutcomeAssociation, associate, outcome_of
from nkpredict.registry import Bundle, Registry
from nkpredict.scoring._bundle_of import bundle_of, genes_of
from nkpredict.scoring._provenance import provenance_of, viability_facts
from nkpredict.scoring._refusal import refused
from nkpredict.scoring._scores import Scores
from nkpredict.scoring._single_cells import refuse_cells, refuse_read_cells
from nkpredict.scoring._table import axes_table, score_table
from nkpredict.scoring._verdict import verdict_of
from nkpredict.scoring._warnings import warnings_of
from nkpredict.types import BoolArray

if TYPE_CHECKING:
    from anndata import AnnData


class Reading(TypedDict, total=False):
    """What the user says about profiles; see `nkpredict.read_expression`."""

    orientation: Orientation
    unit: str
    layer: str | None
    obs: str | Path | None
    var_column: str | None
    duplicates: Duplicates | None


def score(
    profiles: str | Path | ProfilesLike,
    model: str | Path | Bundle | GeneModel | KillingCurveModel | None = None,
    *,
    registry: str | Path | Registry | None = None,
    genetics: str | Path | None = None,
    lineage: pd.Series | str | None = None,
    effector: str | None = None,
    outcome: str | None = None,
    force: bool = False,
    cohort: bool = False,
    **reading: Unpack[Reading],
) -> Scores:
    """Score expression profiles with a model.

    Every source is read by the same way: orientation, identifiers and unit are told from the
    content. Every sample is harmonised and scored by itself: its score does not depend on its
    cohort, unless ``cohort`` is asked for.

    Parameters
    ----------
    profiles
        File or folder (see `read_expression`), AnnData in memory or backed, or DataFrame.
    model
        ``NAME@alias``, ``NAME/version``, path of a bundle, `Bundle` or fitted model; with a
        killing curve, viability at each E:T ratio is predicted too. Without it
        the registered model of the default name is used, and when there is none the shipped
        `screen-prior`, which knows published screens and no measured response.
    registry
        Registry in which a name is looked up; the default one when not given.
    genetics
        File of mutations, copy numbers or subtypes, for models that were trained with them.
    lineage
        Lineage of the samples by name, or a column of ``profiles.obs``; shown beside the scores
        and never used for them. More columns, joined by commas, are covariates that are shown too.
    force
        Score profiles that would be refused because too little of the model is measured or their
        genes do not rank as expression does; flags, provenance and report say so.
    cohort
        Map the profiles as a whole onto the model's, gene by gene, in place of one by one. For
        cohorts of a platform that no model knows; their order is all that the scores then say, and
        each is marked as relative to this cohort, without an interval.
    effector
        NK cells that the score is about, for models of published knowledge (``primary NK``, which
        is the default, ``NK-92``, ``KHYG-1`` or ``CAR-NK``). A model that was trained on a
        response is about the cells of that response.
    outcome
        ``"TIME,EVENT"`` or ``"TIME,EVENT=WORD|WORD"``, columns of ``profiles.obs``: the scores are
        held against the time to the event; see `nkpredict.outcome_association`.
    **reading
        ``orientation, unit, layer, obs, var_column, duplicates``: see `read_expression`.

    Returns
    -------
    Scores

    Raises
    ------
    InputError
        When the profiles cannot be read, are single cells, hold too little of the model, or were
        centred gene by gene across samples, when the columns hold no outcome, or a cohort to be
        mapped as a whole is too small.
    RegistryError, BundleError
        When the model is not found or damaged.
    """
    bundle = bundle_of(model, registry, effector)
    options = ReadingOptions(**reading, known=genes_of(bundle), known_alone=True)
    source = _named(profiles)
    if not force:
        refuse_cells(source, options)
    adata = read_profiles(source, options)
    if not force:
        refuse_read_cells(source, adata)
    if genetics is not None:
        add_genetics(adata, genetics)
    prepared = bundle.model.prepare(_read_by_model(adata, bundle))
    forced = refused(bundle.model, prepared, facts_of(adata).expression, force)
    own = _own_reference(prepared, bundle, adata)
    if cohort:
        prepared = relative_to_cohort(bundle.model, prepared)
    table = score_table(prepared, bundle, own, forced, cohort)
    provenance = replace(
        provenance_of(adata, bundle, prepared, own, forced), relative_to_cohort=cohort
    )
    viability, curves = None, None
    if bundle.curve is not None:
        viability = bundle.curve.predict_curve(prepared).set_axis(table.index, axis=0)
        curves = viability_facts(viability, table["susceptibility"].to_numpy())
    said = warnings_of(table, provenance, bundle.model)
    read = provenance.profiles
    known, others = _grouping(
        lineage, adata, table.index, "the profiles" if read is None else read.file
    )
    found = _outcome(outcome, adata, table["susceptibility"], known)
    return Scores(
        table=table,
        provenance=replace(
            provenance,
            viability=curves,
            outcome=None if found is None else found.facts,
            verdict=verdict_of(table, provenance, bundle.model),
            warnings=said,
        ),
        bundle=bundle,
        profiles=prepared,
        viability=viability,
        axes=axes_table(bundle.model, prepared, table.index),
        lineage=known,
        covariates=others,
        reference=bundle.reference,
        outcome=found,
    )


def _named(profiles: str | Path | ProfilesLike) -> str | Path | pd.DataFrame | AnnData:
    """Return profiles whose genes have names."""
    if isinstance(profiles, Profiles) and profiles.named:
        return profiles.frame()
    if isinstance(profiles, np.ndarray | Profiles):
        raise InputError(
            "The profiles are an array without gene names; expected a DataFrame with gene symbols "
            "as columns, an AnnData, or a file."
        )
    if isinstance(profiles, str | Path | pd.DataFrame) or hasattr(profiles, "obs_names"):
        return profiles
    raise InputError(
        f"The profiles are a {type(profiles).__name__}; expected a file, a DataFrame of samples × "
        "genes or an AnnData."
    )


def _read_by_model(adata: AnnData, bundle: Bundle) -> AnnData:
    """Leave out genes that the model does not know, which would be copied for nothing."""
    read = adata.var_names.isin(bundle.model.feature_names_in_)
    return adata[:, read] if read.any() and not read.all() else adata


def _own_reference(
    prepared: HarmonisedProfiles, bundle: Bundle, adata: AnnData
) -> BoolArray | None:
    """Tell which profiles the model was made from; None when that is not known.

    A model that keeps no trace of its profiles is asked for the file they came from.
    """
    known = bundle.model.recognised(prepared)
    read = facts_of(adata).expression
    if known is not None or read is None:
        return known
    reference, training = bundle.metadata.reference, bundle.metadata.training
    if reference is not None and reference.sha256 == read.sha256:
        return np.ones(len(prepared.samples), dtype=bool)
    trained_on = None if training is None else training.expression
    if trained_on is not None and trained_on.sha256 == read.sha256:
        return np.asarray(prepared.samples.astype(str).isin(bundle.reference.index.astype(str)))
    return None


def _grouping(
    lineage: pd.Series | str | None, adata: AnnData, samples: pd.Index, called: str
) -> tuple[pd.Series | None, pd.DataFrame | None]:
    """Return the lineage of the samples and, where more columns are named, these."""
    if lineage is None:
        return None, None
    if not isinstance(lineage, str):
        return _of_samples(lineage, samples).astype(str).rename("lineage"), None
    columns = pd.DataFrame(adata.obs)
    # a name may hold a comma itself
    names = [lineage] if lineage in columns else [name.strip() for name in lineage.split(",")]
    absent = [name for name in names if name not in columns]
    if absent:
        raise InputError(
            f"There is no {', '.join(map(repr, absent))} among the annotations of {called}, which "
            f"has {name_some(columns.columns) or 'none'}; name one that is there, or give a table "
            "of the samples (obs, --obs)."
        )
    first, *more = (_of_samples(columns[name], samples) for name in names)
    others = pd.concat(more, axis=1) if more else None
    return first.astype(str).rename("lineage"), others


def _of_samples(labels: pd.Series, samples: pd.Index) -> pd.Series:
    named = labels.set_axis(labels.index.astype(str))
    absent = samples.difference(named.index)
    if len(absent):
        raise InputError(
            f"{len(absent)} of {len(samples)} samples have no lineage ({name_some(absent)}); "
            "give one for each sample, 'unknown' where it is not known."
        )
    return named.loc[samples]


def _outcome(
    columns: str | None,
    adata: AnnData,
    susceptibility: pd.Series,
    lineage: pd.Series | None,
) -> OutcomeAssociation | None:
    if columns is None:
        return None
    samples = pd.DataFrame(adata.obs)
    outcome = outcome_of(columns, samples.set_axis(samples.index.astype(str)))
    return associate(susceptibility, outcome, lineage)
