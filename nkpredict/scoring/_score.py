"""Score a cohort: susceptibility, its uncertainty and its genes, each sample by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.facts import (
    CoverageFacts,
    ModelFacts,
    ReadFacts,
    ResponseFacts,
    ScoringFacts,
    SkillFacts,
    ViabilityFacts,
)
from nkpredict.features import Profiles, ProfilesLike
from nkpredict.io import (
    GENETICS_PREFIX,
    SIMPLE_TABLE,
    Orientation,
    add_genetics,
    all_simulated,
    area_under_curve,
    facts_of,
    read_expression,
)
from nkpredict.learn import (
    CHANCE_LEVEL,
    SAME_AREA,
    GeneModel,
    HarmonisedProfiles,
    KillingCurveModel,
    ScreenPrior,
)
from nkpredict.outcome import OutcomeAssociation, associate, outcome_of
from nkpredict.registry import KNOWLEDGE_ONLY_NOTICE, Bundle, Registry
from nkpredict.scoring._scores import Scores
from nkpredict.types import BoolArray, FloatArray

# Below this share of the model's genes a score rests on too little to be trusted; set by hand.
_LOW_COVERAGE = 0.8
OWN_REFERENCE = "own_reference"
_IN_MEMORY = ModelFacts(name="model in memory")


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
    effector: str | None = None,
    outcome: str | None = None,
) -> Scores:
    """Score expression profiles with a model.

    Every sample is harmonised and scored by itself: its score does not depend on its cohort.

    Parameters
    ----------
    profiles
        File (CSV, TSV, Parquet, h5ad), AnnData or DataFrame of samples × genes with approved
        symbols.
    model
        ``NAME@alias``, ``NAME/version``, path of a bundle, `Bundle` or fitted model; with a
        killing curve, viability at each E:T ratio is predicted too. Without it
        the registered model of the default name is used, and when there is none the shipped
        `screen-prior`, which knows published screens and no measured response.
    registry
        Registry in which a name is looked up; the default one when not given.
    orientation, unit, layer, obs
        See `read_expression`; only for files.
    genetics
        File of mutations, copy numbers or subtypes, for models that were trained with them.
    lineage
        Lineage of the samples by name, or a column of ``profiles.obs``; shown beside the scores
        and never used for them.
    effector
        NK cells that the score is about, for models of published knowledge (``primary NK``, which
        is the default, ``NK-92``, ``KHYG-1`` or ``CAR-NK``). A model that was trained on a
        response is about the cells of that response.
    outcome
        ``"TIME,EVENT"`` or ``"TIME,EVENT=WORD|WORD"``, columns of ``profiles.obs``: the scores are
        held against the time to the event; see `nkpredict.outcome_association`.

    Returns
    -------
    Scores

    Raises
    ------
    InputError
        When the profiles cannot be read or share no gene with the model, or the columns hold no
        outcome.
    RegistryError, BundleError
        When the model is not found or damaged.
    """
    bundle = _for_effector(_bundle(model, registry), effector)
    if isinstance(profiles, str | Path):
        profiles = read_expression(
            profiles, obs=obs, orientation=orientation, unit=unit, layer=layer
        )
    if genetics is not None:
        profiles = _with_genetics(profiles, genetics)
    prepared = bundle.model.prepare(_named(profiles))
    own = _own_reference(prepared, bundle, profiles)
    table = _table(prepared, bundle, own)
    measured = ~np.isnan(prepared.given.values)
    provenance = replace(
        _provenance(profiles, bundle, prepared.samples, measured),
        own_reference=None if own is None else int(own.sum()),
    )
    viability, curves = None, None
    if bundle.curve is not None:
        viability = bundle.curve.predict_curve(prepared).set_axis(table.index, axis=0)
        curves = _viability_facts(viability, table["susceptibility"].to_numpy())
    said = _warnings(table, provenance, _is_chance(bundle.model))
    known = _lineage(lineage, profiles, table.index)
    found = _outcome(outcome, profiles, table["susceptibility"], known)
    return Scores(
        table=table,
        provenance=replace(
            provenance,
            viability=curves,
            outcome=None if found is None else found.facts,
            warnings=said,
        ),
        bundle=bundle,
        profiles=prepared,
        viability=viability,
        axes=_axes(bundle.model, prepared, table.index),
        lineage=known,
        reference=bundle.reference,
        outcome=found,
    )


def _for_effector(bundle: Bundle, effector: str | None) -> Bundle:
    if effector is None:
        return bundle
    if not isinstance(bundle.model, ScreenPrior):
        raise InputError(
            f"The effector {effector!r} was asked for, but the model {bundle.metadata.name} was "
            "trained on a response and is about the NK cells of that response; leave the effector "
            "out, or score with screen-prior."
        )
    return replace(bundle, model=bundle.model.for_effector(effector))


def _outcome(
    columns: str | None,
    profiles: ProfilesLike,
    susceptibility: pd.Series,
    lineage: pd.Series | None,
) -> OutcomeAssociation | None:
    if columns is None:
        return None
    obs = getattr(profiles, "obs", pd.DataFrame(index=susceptibility.index))
    outcome = outcome_of(columns, obs.set_axis(obs.index.astype(str)))
    return associate(susceptibility, outcome, lineage)


def _named(profiles: ProfilesLike) -> ProfilesLike:
    if isinstance(profiles, np.ndarray):
        raise InputError(
            "The profiles are an array without gene names; expected a DataFrame with gene symbols "
            "as columns, an AnnData, or a file."
        )
    return profiles


def _with_genetics(profiles: ProfilesLike, genetics: str | Path) -> ProfilesLike:
    if isinstance(profiles, pd.DataFrame | np.ndarray | Profiles):
        raise InputError(
            "Genetics were given for a DataFrame; put them into its columns, named "
            f"{GENETICS_PREFIX}NAME, or give an AnnData or a file."
        )
    profiles = profiles.copy()
    add_genetics(profiles, genetics)
    return profiles


def _own_reference(
    prepared: HarmonisedProfiles, bundle: Bundle, profiles: ProfilesLike
) -> BoolArray | None:
    """Tell which profiles the model was made from; None when that is not known.

    A model that keeps no trace of its profiles is asked for the file they came from.
    """
    known = bundle.model.recognised(prepared)
    read = facts_of(profiles).expression if hasattr(profiles, "uns") else None
    if known is not None or read is None:
        return known
    reference, training = bundle.metadata.reference, bundle.metadata.training
    if reference is not None and reference.sha256 == read.sha256:
        return np.ones(len(prepared.samples), dtype=bool)
    trained_on = None if training is None else training.expression
    if trained_on is not None and trained_on.sha256 == read.sha256:
        return np.asarray(prepared.samples.astype(str).isin(bundle.reference.index.astype(str)))
    return None


def _table(prepared: HarmonisedProfiles, bundle: Bundle, own: BoolArray | None) -> pd.DataFrame:
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
    raised = {
        "out_of_domain": ~table["in_domain"].to_numpy(),
        "low_gene_coverage": table["gene_coverage"].to_numpy() < _LOW_COVERAGE,
        "chance_skill": np.full(len(table), _is_chance(model)),
        "knowledge_only": np.full(len(table), model.knowledge_only),
        OWN_REFERENCE: np.zeros(len(table), dtype=bool) if own is None else own,
    }
    flags = [
        ";".join(name for name, on in raised.items() if on[sample]) for sample in range(len(table))
    ]
    return table.assign(flags=flags)


def _axes(model: GeneModel, prepared: HarmonisedProfiles, samples: pd.Index) -> pd.DataFrame | None:
    if not isinstance(model, ScreenPrior):
        return None
    parts = model.axis_scores(prepared)
    axes = parts.scores.columns
    return pd.DataFrame(
        {
            "sample": np.repeat(samples, len(axes)),
            "axis": np.tile(axes, len(samples)),
            "score": parts.scores.to_numpy().ravel(),
            "percentile": parts.percentiles.to_numpy().ravel(),
            "coverage": parts.coverage.to_numpy().ravel(),
        }
    )


def _is_chance(model: GeneModel) -> bool:
    return model.skill_.get("p", 0.0) > CHANCE_LEVEL


def _lineage(
    lineage: pd.Series | str | None, profiles: ProfilesLike, samples: pd.Index
) -> pd.Series | None:
    if lineage is None:
        return None
    if isinstance(lineage, str):
        columns = getattr(profiles, "obs", pd.DataFrame())
        if lineage not in columns:
            raise InputError(
                f"The profiles have no column {lineage!r}; they have "
                f"{name_some(columns.columns) or 'none'}."
            )
        lineage = columns[lineage]
    named = lineage.set_axis(lineage.index.astype(str))
    absent = samples.difference(named.index)
    if len(absent):
        raise InputError(
            f"{len(absent)} of {len(samples)} samples have no lineage ({name_some(absent)}); "
            "give one for each sample, 'unknown' where it is not known."
        )
    return named.loc[samples].astype(str).rename("lineage")


def _bundle(
    model: str | Path | Bundle | GeneModel | KillingCurveModel | None,
    registry: str | Path | Registry | None,
) -> Bundle:
    if isinstance(model, Bundle):
        return model
    if isinstance(model, KillingCurveModel):
        return Bundle(model.model_, _IN_MEMORY, model)
    if isinstance(model, GeneModel):
        return Bundle(model, _IN_MEMORY)
    store = registry if isinstance(registry, Registry) else Registry(registry)
    return store.load_default() if model is None else store.load(model)


def _provenance(
    profiles: ProfilesLike, bundle: Bundle, samples: pd.Index, measured: BoolArray
) -> ScoringFacts:
    recorded = facts_of(profiles) if hasattr(profiles, "uns") else ReadFacts()
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
    model = provenance.model
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
    about = (_own_reference_words(provenance), _domain_words(table, model), _missing(provenance))
    return (*warnings, *(words for words in about if words))


def _own_reference_words(provenance: ScoringFacts) -> str:
    own, samples = provenance.own_reference, provenance.samples
    if not own:
        return ""
    alone = provenance.model.knowledge_only
    made_from = "reference" if alone else "training"
    kind = "profiles" if alone else "samples"
    if own < samples:
        verb = "is one" if own == 1 else "are"
        whose = f"{own:,} of {samples:,} profiles {verb} of the model's own {made_from} {kind}"
    elif own == 1:
        whose = f"This profile is one of the model's own {made_from} {kind}"
    else:
        whose = f"These profiles are the model's own {'reference' if alone else 'training samples'}"
    about = f"novelty and percentiles say nothing about {'it' if own == 1 else 'them'}"
    seen = "" if alone else ", and predicting what a model has seen is no test of it"
    return f"{whose}: {about}{seen}."


def _domain_words(table: pd.DataFrame, model: ModelFacts) -> str:
    outside = int((~table["in_domain"]).sum())
    if not outside:
        return ""
    domain = "reference" if model.knowledge_only else "training"
    intervals = "" if model.knowledge_only else ", and do not rely on the intervals"
    return (
        f"{outside} of {len(table)} profiles lie outside the {domain} domain (median novelty "
        f"{table['novelty'].median():.1f}, the edge is 1), as profiles from another platform "
        "or disease do: compare them with each other, do not read their absolute "
        f"values{intervals}."
    )


def _missing(provenance: ScoringFacts) -> str:
    genes = provenance.genes
    if not genes.missing:
        return ""
    if provenance.model.knowledge_only:
        return (
            f"{genes.missing:,} of the model's {genes.in_model:,} genes are missing; genes they "
            "move with in the reference speak for those that have evidence, where they were "
            "measured."
        )
    return (
        f"{genes.missing:,} of the model's {genes.in_model:,} genes are missing and count as "
        f"average; they carry {genes.weight_missing:.0%} of the model's weight."
    )
