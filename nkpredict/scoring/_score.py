"""Score a cohort: susceptibility, its uncertainty and its genes, each sample by itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nkpredict.drugs import druggable_targets, rank_drugs, rank_drugs_by_sample
from nkpredict.errors import InputError, name_some
from nkpredict.explain import explain, resistance_table, shap_explanation
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
from nkpredict.learn import CHANCE_LEVEL, SAME_AREA, GeneModel, KillingCurveModel
from nkpredict.registry import KNOWLEDGE_ONLY_NOTICE, Bundle, Registry

if TYPE_CHECKING:
    import shap
    from anndata import AnnData

# Genes whose drugs are looked up; further down a gene takes next to nothing from a score.
_GENES_WITH_TARGETS = 200
# Below this share of the model's genes a score rests on too little to be trusted.
_LOW_COVERAGE = 0.8
_IN_MEMORY = ModelFacts(name="model in memory")


@dataclass(frozen=True, repr=False)
class Scores:
    """Scores of a cohort and what they rest on.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a sample: ``susceptibility`` (higher = killed more easily), ``lower`` and
        ``upper`` (90 % interval), ``percentile`` (among held-out predictions of the training
        samples), ``novelty`` (1 = edge of the training domain), ``in_domain``,
        ``gene_coverage`` (share of the model's genes measured), ``weight_coverage`` (share of the
        model's weight on them, for `screen-prior` the share of the evidence),
        ``original_scale`` (on the scale of the training response), ``flags``.
    contributions : pandas.DataFrame
        Samples × genes; with ``base_value`` they add up to the susceptibility.
    base_value : float
        Prediction for the average training profile.
    resistance_genes : pandas.DataFrame
        Genes that hold the cohort back, ranked; see `nkpredict.explain.resistance_table`.
    targets, drugs, sample_drugs : pandas.DataFrame
        Gene-drug pairs for the 200 first of them, drugs ranked for the cohort and for each sample;
        see `nkpredict.explain.druggable_targets`, `rank_drugs` and `rank_drugs_by_sample`.
    viability : pandas.DataFrame or None
        Samples × E:T ratios, predicted % viability, when the model has a killing curve. The area
        of each curve is 1 − susceptibility wherever a curve can have it, see
        `nkpredict.KillingCurveModel.predict_curve`.
    lineage : pandas.Series or None
        Lineage of the samples, when it was given.
    reference : pandas.DataFrame
        The samples that percentiles refer to: ``susceptibility`` (held-out prediction),
        ``observed`` and ``lineage`` where they are known.
    provenance : ScoringFacts
        What was detected, what was missing, and the model.
    """

    table: pd.DataFrame
    contributions: pd.DataFrame
    base_value: float
    resistance_genes: pd.DataFrame
    provenance: ScoringFacts
    targets: pd.DataFrame = field(default_factory=pd.DataFrame)
    drugs: pd.DataFrame = field(default_factory=pd.DataFrame)
    sample_drugs: pd.DataFrame = field(default_factory=pd.DataFrame)
    viability: pd.DataFrame | None = None
    lineage: pd.Series | None = None
    reference: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def simulated(self) -> bool:
        """Whether profiles or model are simulated."""
        return self.provenance.simulated

    def to_adata(self, adata: AnnData) -> AnnData:
        """Return a copy of the profiles with scores in ``obs``, the rest in ``obsm``.

        ``obsm`` holds ``nk_contributions`` and, with a killing curve, ``nk_viability``: %
        viability, the E:T ratios as text (``"0.625"``).
        """
        scored = adata.copy()
        table = self.table.loc[scored.obs_names]
        for column in table:
            scored.obs[f"nk_{column}"] = table[column]
        scored.obsm["nk_contributions"] = self.contributions.loc[scored.obs_names]
        if self.viability is not None:
            curves = self.viability.loc[scored.obs_names]
            scored.obsm["nk_viability"] = curves.set_axis([f"{r:g}" for r in curves], axis=1)
        return scored

    def to_explanation(self, profiles: pd.DataFrame) -> shap.Explanation:
        """Return the contributions as a `shap.Explanation`, so that all plots of shap work.

        Parameters
        ----------
        profiles
            Samples × genes as scored; shown beside the contributions.
        """
        return shap_explanation(self.contributions, self.base_value, profiles)

    def __repr__(self) -> str:
        """Summarise in a few lines."""
        table = self.table
        mark = " SIMULATED" if self.simulated else ""
        return (
            f"Scores{mark} of {len(table)} samples with {self.provenance.model.name}\n"
            f"  susceptibility {table['susceptibility'].min():.3f} to "
            f"{table['susceptibility'].max():.3f}, median {table['susceptibility'].median():.3f}\n"
            f"  {int(table['in_domain'].sum())} of {len(table)} in the training domain, genes of "
            f"the model found: {table['gene_coverage'].mean():.0%}"
        )


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

    Returns
    -------
    Scores

    Raises
    ------
    InputError
        When the profiles cannot be read or share no gene with the model.
    RegistryError, BundleError
        When the model is not found or damaged.
    """
    bundle = _bundle(model, registry)
    if isinstance(profiles, str | Path):
        profiles = read_expression(
            profiles, obs=obs, orientation=orientation, unit=unit, layer=layer
        )
    if isinstance(profiles, np.ndarray):
        raise InputError(
            "The profiles are an array without gene names; expected a DataFrame with gene symbols "
            "as columns, an AnnData, or a file."
        )
    fitted = bundle.model
    if genetics is not None:
        if isinstance(profiles, pd.DataFrame | Profiles):
            raise InputError(
                "Genetics were given for a DataFrame; put them into its columns, named "
                f"{GENETICS_PREFIX}NAME, or give an AnnData or a file."
            )
        profiles = profiles.copy()
        add_genetics(profiles, genetics)
    checked = Profiles.of(profiles)
    prepared = fitted.prepare(checked)
    explanation = explain(fitted, prepared)
    contributions, predicted = explanation.contributions, explanation.predicted.to_numpy()
    measured = explanation.profiles.notna()
    novelty = fitted.novelty(prepared)
    response = bundle.metadata.response or ResponseFacts()
    table = pd.DataFrame(
        {
            "susceptibility": predicted,
            "lower": predicted - fitted.half_width_,
            "upper": predicted + fitted.half_width_,
            "percentile": fitted.percentile(predicted),
            "novelty": novelty,
            "in_domain": novelty <= 1,
            "gene_coverage": measured.mean(axis=1).to_numpy(),
            "weight_coverage": fitted.weight_coverage(prepared),
            "original_scale": (predicted - response.offset) / response.slope,
        },
        index=pd.Index(prepared.samples.astype(str), name="sample"),
    )
    chance = fitted.skill_.get("p", 0.0) > CHANCE_LEVEL
    table["flags"] = _flags(table, chance, fitted.knowledge_only)
    provenance = _provenance(profiles, bundle, measured)
    viability, curves = None, None
    if bundle.curve is not None:
        viability = bundle.curve.predict_curve(prepared).set_axis(table.index, axis=0)
        curves = _viability_facts(viability, predicted)
    said = _warnings(table, provenance, chance)
    provenance = replace(provenance, viability=curves, warnings=said)
    genes_ranked = resistance_table(
        fitted, prepared, explanation=explanation, drivers=bundle.drivers, top=None
    )
    genes_ranked = genes_ranked.drop(columns=["level", "name", "samples", "cohort_percentile"])
    contributions = contributions.set_axis(table.index, axis=0)
    pairs = druggable_targets(genes_ranked.head(_GENES_WITH_TARGETS))
    return Scores(
        table=table,
        contributions=contributions,
        base_value=explanation.base_value,
        resistance_genes=genes_ranked,
        targets=pairs,
        drugs=rank_drugs(pairs),
        sample_drugs=rank_drugs_by_sample(pairs, contributions),
        viability=viability,
        lineage=_lineage(lineage, profiles, table.index),
        reference=bundle.reference,
        provenance=provenance,
    )


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


def _flags(table: pd.DataFrame, chance: bool, knowledge_only: bool) -> list[str]:
    raised = {
        "out_of_domain": ~table["in_domain"].to_numpy(),
        "low_gene_coverage": table["gene_coverage"].to_numpy() < _LOW_COVERAGE,
        "chance_skill": np.full(len(table), chance),
        "knowledge_only": np.full(len(table), knowledge_only),
    }
    return [
        ";".join(name for name, on in raised.items() if on[sample]) for sample in range(len(table))
    ]


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


def _provenance(profiles: ProfilesLike, bundle: Bundle, measured: pd.DataFrame) -> ScoringFacts:
    recorded = facts_of(profiles) if hasattr(profiles, "uns") else ReadFacts()
    model = bundle.model
    missing = measured.columns[~measured.any(axis=0)]
    weight = np.abs(model.effect_)
    lost = weight[~measured.any(axis=0).to_numpy()].sum()
    return ScoringFacts(
        samples=len(measured),
        profiles=recorded.expression,
        profiles_simulated=all_simulated(measured.index)
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


def _viability_facts(viability: pd.DataFrame, susceptibility: np.ndarray) -> ViabilityFacts:
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
