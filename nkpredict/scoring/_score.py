"""Score a cohort: susceptibility, its uncertainty and its genes, each sample by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.facts import (
    CoverageFacts,
    ResponseFacts,
    ScoringFacts,
    SkillFacts,
    ViabilityFacts,
)
from nkpredict.features import Profiles, ProfilesLike
from nkpredict.io import (
    SIMPLE_TABLE,
    Duplicates,
    Orientation,
    ReadingOptions,
    add_genetics,
    all_simulated,
    area_under_curve,
    facts_of,
    read_profiles,
)
from nkpredict.learn import (
    CHANCE_LEVEL,
    SAME_AREA,
    GeneModel,
    HarmonisedProfiles,
    KillingCurveModel,
    require_readable,
)
from nkpredict.registry import KNOWLEDGE_ONLY_NOTICE, Bundle, Registry
from nkpredict.scoring._bundle_of import bundle_of, genes_of
from nkpredict.scoring._scores import Scores
from nkpredict.types import BoolArray, FloatArray

if TYPE_CHECKING:
    from anndata import AnnData

# Below this share of the model's genes or weight a score rests on little; set by hand.
_LOW_COVERAGE = 0.8
FORCED_NOTICE = "FORCED: these profiles would have been refused, and their scores mean little."
"""Beginning of what is said of scores that were asked for against a refusal."""


def score(
    profiles: str | Path | ProfilesLike,
    model: str | Path | Bundle | GeneModel | KillingCurveModel | None = None,
    *,
    registry: str | Path | Registry | None = None,
    orientation: Orientation = "auto",
    unit: str = "auto",
    layer: str | None = None,
    obs: str | Path | None = None,
    genetics: str | Path | None = None,
    lineage: pd.Series | str | None = None,
    var_column: str | None = None,
    duplicates: Duplicates | None = None,
    force: bool = False,
) -> Scores:
    """Score expression profiles with a model.

    Every source is read by the same way: orientation, identifiers and unit are told from the
    content. Every sample is harmonised and scored by itself: its score does not depend on its
    cohort.

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
    orientation, unit, layer, obs, var_column, duplicates
        See `read_expression`.
    genetics
        File of mutations, copy numbers or subtypes, for models that were trained with them.
    lineage
        Lineage of the samples by name, or a column of ``profiles.obs``; shown beside the scores
        and never used for them.
    force
        Score profiles that would be refused because too little of the model is measured or their
        genes do not rank as expression does; flags, provenance and report say so.

    Returns
    -------
    Scores

    Raises
    ------
    InputError
        When the profiles cannot be read, hold too little of the model, or were centred gene by
        gene across samples.
    RegistryError, BundleError
        When the model is not found or damaged.
    """
    bundle = bundle_of(model, registry)
    adata = read_profiles(
        _named(profiles),
        ReadingOptions(
            orientation=orientation,
            unit=unit,
            layer=layer,
            var_column=var_column,
            duplicates=duplicates,
            obs=obs,
            known=genes_of(bundle),
        ),
    )
    if genetics is not None:
        add_genetics(adata, genetics)
    prepared = bundle.model.prepare(adata)
    forced = _forced(adata, bundle, prepared, force)
    table = _table(prepared, bundle, forced)
    measured = ~np.isnan(prepared.given.values)
    provenance = _provenance(adata, bundle, prepared.samples, measured)
    viability, curves = None, None
    if bundle.curve is not None:
        viability = bundle.curve.predict_curve(prepared).set_axis(table.index, axis=0)
        curves = _viability_facts(viability, table["susceptibility"].to_numpy())
    said = _warnings(table, replace(provenance, forced=forced), _is_chance(bundle.model))
    return Scores(
        table=table,
        provenance=replace(provenance, viability=curves, forced=forced, warnings=said),
        bundle=bundle,
        profiles=prepared,
        viability=viability,
        lineage=_lineage(lineage, adata, table.index),
        reference=bundle.reference,
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


def _forced(adata: AnnData, bundle: Bundle, prepared: HarmonisedProfiles, force: bool) -> str:
    """Refuse what cannot be scored; of what is scored all the same say why it was not to be."""
    try:
        require_readable(bundle.model, prepared, facts_of(adata).expression)
    except InputError as refusal:
        if not force:
            raise
        return str(refusal).partition(" With --force")[0].rpartition(";")[0]
    return ""


def _table(prepared: HarmonisedProfiles, bundle: Bundle, forced: str) -> pd.DataFrame:
    model = bundle.model
    predicted, novelty = model.predict(prepared), model.novelty(prepared)
    response = bundle.metadata.response or ResponseFacts()
    table = pd.DataFrame(
        {
            "susceptibility": predicted,
            "lower": predicted - model.half_width_,
            "upper": predicted + model.half_width_,
            "percentile": model.percentile(predicted),
            "novelty": novelty,
            "in_domain": novelty <= 1,
            "gene_coverage": (~np.isnan(prepared.given.values)).mean(axis=1),
            "weight_coverage": model.weight_coverage(prepared),
            "original_scale": (predicted - response.offset) / response.slope,
        },
        index=pd.Index(prepared.samples.astype(str), name="sample"),
    )
    return table.assign(flags=_flags(table, model, forced))


def _is_chance(model: GeneModel) -> bool:
    return model.skill_.get("p", 0.0) > CHANCE_LEVEL


def _lineage(
    lineage: pd.Series | str | None, adata: AnnData, samples: pd.Index
) -> pd.Series | None:
    if lineage is None:
        return None
    if isinstance(lineage, str):
        columns = adata.obs
        if lineage not in columns:
            raise InputError(
                f"The profiles have no column {lineage!r}; they have "
                f"{name_some(columns.columns) or 'none'}."
            )
        lineage = pd.Series(columns[lineage])
    named = lineage.set_axis(lineage.index.astype(str))
    absent = samples.difference(named.index)
    if len(absent):
        raise InputError(
            f"{len(absent)} of {len(samples)} samples have no lineage ({name_some(absent)}); "
            "give one for each sample, 'unknown' where it is not known."
        )
    return named.loc[samples].astype(str).rename("lineage")


def _flags(table: pd.DataFrame, model: GeneModel, forced: str) -> list[str]:
    weight = table["weight_coverage"].to_numpy()
    raised = {
        "forced": np.full(len(table), bool(forced)),
        "out_of_domain": ~table["in_domain"].to_numpy(),
        "low_gene_coverage": table["gene_coverage"].to_numpy() < _LOW_COVERAGE,
        "low_weight_coverage": (weight < _LOW_COVERAGE) & (not model.knowledge_only),
        "chance_skill": np.full(len(table), _is_chance(model)),
        "knowledge_only": np.full(len(table), model.knowledge_only),
    }
    return [
        ";".join(name for name, on in raised.items() if on[sample]) for sample in range(len(table))
    ]


def _provenance(
    adata: AnnData, bundle: Bundle, samples: pd.Index, measured: BoolArray
) -> ScoringFacts:
    recorded = facts_of(adata)
    model = bundle.model
    nowhere = ~measured.any(axis=0)
    missing = model.feature_names_in_[nowhere]
    weight = np.abs(model.effect_)
    lost = weight[nowhere].sum()
    return ScoringFacts(
        samples=len(measured),
        profiles=recorded.expression,
        profiles_simulated=all_simulated(samples)
        if recorded.expression is None
        else recorded.simulated,
        genes=CoverageFacts(
            in_model=measured.shape[1],
            found=measured.shape[1] - len(missing),
            missing=len(missing),
            missing_examples=tuple(str(gene) for gene in missing[:20]),
            weight_missing=float(lost / weight.sum()) if weight.sum() > 0 else 0.0,
        ),
        model=replace(
            bundle.metadata,
            skill=SkillFacts.from_json(model.skill_),
            half_width=model.half_width_,
            knowledge_only=model.knowledge_only,
            within_lineages=getattr(model, "offsets_", None) is not None,
        ),
    )


def _viability_facts(viability: pd.DataFrame, susceptibility: FloatArray) -> ViabilityFacts:
    areas = area_under_curve(viability)["viability_auc"].to_numpy()
    # predicted to grow, or to be killed more than a curve over these ratios can show
    without = int((np.abs(1 - susceptibility - areas) > SAME_AREA).sum())
    return ViabilityFacts(
        effector_target_ratios=tuple(map(float, viability.columns)),
        samples_without_a_curve_of_their_area=without,
    )


def _warnings(table: pd.DataFrame, provenance: ScoringFacts, chance: bool) -> tuple[str, ...]:
    warnings = []
    genes, model = provenance.genes, provenance.model
    if provenance.forced:
        warnings.append(f"{FORCED_NOTICE} {provenance.forced}.")
    if provenance.profiles is not None and provenance.profiles.single_cells:
        warnings.append(
            "The profiles look like single cells, and every cell was scored as a sample; add the "
            "counts of each sample up first (pseudobulk)."
        )
    if model.knowledge_only:
        warnings.append(f"{KNOWLEDGE_ONLY_NOTICE} The score has no unit; 0 is the average profile.")
    if chance:
        warnings.append(
            "The model predicts unseen samples no better than chance; do not rank samples with it."
        )
    if model.within_lineages:
        warnings.append(
            "The model learned without the lineages' own levels: compare samples of one lineage "
            "with each other, and read no absolute values."
        )
    if model.response is not None and model.response.format == SIMPLE_TABLE:
        warnings.append(
            f"The model was trained on the column {model.response.target} of a table: "
            "susceptibility means sensitivity in that measurement."
        )
    outside = int((~table["in_domain"]).sum())
    if outside:
        warnings.append(
            f"{outside} of {len(table)} profiles lie outside the training domain (median novelty "
            f"{table['novelty'].median():.1f}, the edge is 1), as profiles from another platform "
            "or disease do: compare them with each other, do not read their absolute values, and "
            "do not rely on the intervals."
        )
    if genes.missing:
        warnings.append(
            f"{genes.missing:,} of the model's {genes.in_model:,} genes are missing and "
            f"count as average; they carry {genes.weight_missing:.0%} of the model's weight."
        )
    return tuple(warnings)
