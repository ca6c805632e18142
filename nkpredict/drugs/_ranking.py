"""From genes that make samples resist to the drugs that act on them, ranked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.drugs._surface import surface_proteins
from nkpredict.drugs._table import PER_DRUG, TargetTable, known_targets
from nkpredict.drugs._vocabulary import Phase, Relation
from nkpredict.errors import InputError, name_some
from nkpredict.vocabulary import UNKNOWN, GeneDirection, NKLiability

HIT = "hit"
REACHABLE = "antibody-reachable"
CONTRARY = "warning: contrary action"
UNCLEAR = "unclear"
MATCHES = (HIT, REACHABLE, CONTRARY, UNCLEAR)

# The weights below are conventions set by hand, to order a list: they are measured nowhere.
MATCH_WEIGHT = {HIT: 1.0, REACHABLE: 0.5, CONTRARY: -1.0, UNCLEAR: 0.0}
"""A contrary action counts against a drug as much as a hit counts for it. Killing the cells that
carry a protein does not depend on what the gene does, hence counts half."""
PHASE_WEIGHT = {
    Phase.APPROVED: 1.0,
    Phase.THREE: 0.8,
    Phase.TWO: 0.6,
    Phase.ONE: 0.4,
    Phase.PRECLINICAL: 0.2,
    Phase.UNKNOWN: 0.2,
}
LIABILITY_WEIGHT = {
    NKLiability.HELPS: 1.0,
    NKLiability.SPARES: 1.0,
    NKLiability.UNKNOWN: 0.8,
    NKLiability.MIXED: 0.7,
    NKLiability.HARMS: 0.4,
}
"""What the drug does to the NK cells themselves; not known is not taken for harmless."""
RELATION_WEIGHT = {
    Relation.DIRECT: 1.0,
    Relation.PARTNER: 0.9,
    Relation.EXPRESSION: 0.6,
    Relation.UNKNOWN: 0.6,
}
"""How near to the gene the drug acts; a change of expression was seen in some cells only."""

PAIR_COLUMNS = (
    "gene",
    "direction",
    "gene_score",
    "drug",
    "match",
    "reason",
    "modality",
    "action",
    "effect_on_gene",
    "relation",
    "highest_phase",
    "approved_blood_cancers",
    "nk_liability",
    "nk_liability_source",
    "antibody_reachable",
    "source",
    "note",
    "weight",
    "rank_score",
)
_FROM_GENES = ("samples_resisting", "evidence", "evidence_reading")
_GENE_LISTS = {"genes_hit": HIT, "genes_reachable": REACHABLE, "genes_contrary": CONTRARY}
_ANTIBODIES = (
    "antibody",
    "antibody-drug conjugate",
    "radioimmunoconjugate",
    "bispecific antibody",
    "immunotoxin",
    "cell therapy",
)


def druggable_targets(
    genes: pd.DataFrame,
    targets: TargetTable | None = None,
    surface: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Pair genes that lower susceptibility with drugs, and say whether the action fits.

    A protecting gene is met by what lowers its function, a sensitizing gene (which resists by
    being low) by what raises it. The opposite is a warning and never a hit. A drug that kills the
    cells carrying a surface protein (antibody-drug conjugate, bispecific antibody, CAR-T cell,
    depleting antibody) changes no function: it is ``antibody-reachable`` where the gene is high
    in resisting samples, else ``unclear``.

    Parameters
    ----------
    genes
        One row per gene, as :func:`~nkpredict.explain.resistance_genes` returns:
        ``gene``, ``direction`` (``protects``, ``sensitizes``, ``unclear``) and ``score`` (0 or
        more) or, without it, ``mean_contribution``, of which the negative part counts.
        ``samples_resisting``, ``evidence`` and ``evidence_reading`` are handed on.
    targets
        Drugs; the shipped table by default.
    surface
        Which proteins stand on the cell surface, as
        :func:`~nkpredict.drugs.surface_proteins` returns, the default.

    Returns
    -------
    pandas.DataFrame
        One row per gene and drug, columns as in :data:`PAIR_COLUMNS` and those handed on, ranked
        by ``rank_score`` = ``gene_score`` (the gene's score divided by the largest) × ``weight``
        (:data:`MATCH_WEIGHT` × :data:`PHASE_WEIGHT` × :data:`LIABILITY_WEIGHT` ×
        :data:`RELATION_WEIGHT`); negative for a contrary action. ``antibody_reachable`` is
        ``yes``, ``no`` or ``unknown``. No rows when no gene has a drug.

    Raises
    ------
    InputError
        When a column is missing, a gene stands twice or a direction or score is impossible.
    """
    scores = _gene_scores(genes)
    table = (known_targets() if targets is None else targets).table
    surface = surface_proteins() if surface is None else surface
    handed_on = [name for name in _FROM_GENES if name in genes]
    described = genes[["gene", "direction", *handed_on]].assign(gene_score=scores)
    pairs = table.merge(described, on="gene", how="inner")
    matched = [
        _match(*cells)
        for cells in zip(pairs["direction"], pairs["action"], pairs["effect_on_gene"], strict=True)
    ]
    pairs["match"] = [match for match, _ in matched]
    pairs["reason"] = [reason for _, reason in matched]
    on_surface = pairs["gene"].map(surface.set_index("gene")["surface"]).fillna(UNKNOWN)
    bound = (pairs["relation"] == Relation.DIRECT) & pairs["modality"].isin(_ANTIBODIES)
    pairs["antibody_reachable"] = on_surface.mask(bound & (on_surface == UNKNOWN), "yes")
    pairs["weight"] = (
        pairs["match"].map(MATCH_WEIGHT)
        * pairs["highest_phase"].map(PHASE_WEIGHT)
        * pairs["nk_liability"].map(LIABILITY_WEIGHT)
        * pairs["relation"].map(RELATION_WEIGHT)
    ).astype(np.float64)
    # + 0.0 turns -0.0 into 0.0
    pairs["rank_score"] = pairs["gene_score"] * pairs["weight"] + 0.0
    pairs = pairs.sort_values(
        ["rank_score", "gene_score", "gene", "drug"], ascending=[False, False, True, True]
    )
    return pairs[[*PAIR_COLUMNS, *handed_on]].reset_index(drop=True)


def rank_drugs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Rank the drugs of a cohort by the resistance genes they hit.

    Parameters
    ----------
    pairs
        What :func:`druggable_targets` returned.

    Returns
    -------
    pandas.DataFrame
        One row per drug with a hit or a reachable protein: ``drug``, ``score`` (sum of the
        ``rank_score`` of its pairs, contrary actions subtracted), ``genes_hit``,
        ``genes_reachable`` and ``genes_contrary`` (joined by ``"; "``, strongest first),
        ``n_hits``, ``modality``, ``highest_phase``, ``approved_blood_cancers``, ``nk_liability``,
        ``nk_liability_source``; ranked by score.

    Raises
    ------
    InputError
        When a column is missing.
    """
    _require(pairs, PAIR_COLUMNS, "pairs of genes and drugs")
    fitting = pairs.loc[pairs["match"].isin((HIT, REACHABLE)), "drug"]
    matching = pairs[pairs["drug"].isin(fitting)]
    # the strongest first, for a warning the one that harms most
    matching = matching.sort_values("rank_score", key=abs, ascending=False, kind="stable")
    by_drug = matching.groupby("drug", sort=True)
    ranked = by_drug[["rank_score"]].sum().rename(columns={"rank_score": "score"})
    for column, match in _GENE_LISTS.items():
        named = matching[matching["match"] == match].groupby("drug")["gene"].agg("; ".join)
        ranked[column] = named.reindex(ranked.index).fillna("")
    ranked["n_hits"] = (matching["match"] == HIT).groupby(matching["drug"]).sum()
    ranked = ranked.join(by_drug[list(PER_DRUG)].first()).reset_index()
    return ranked.sort_values(["score", "drug"], ascending=[False, True], ignore_index=True)


def rank_drugs_by_sample(
    pairs: pd.DataFrame, contributions: pd.DataFrame, top: int = 10
) -> pd.DataFrame:
    """Rank the drugs of every sample by the genes that lower its own susceptibility.

    Parameters
    ----------
    pairs
        What :func:`druggable_targets` returned.
    contributions
        Samples × genes, parts of the prediction; negative parts lower it.
    top
        How many drugs to list for a sample.

    Returns
    -------
    pandas.DataFrame
        Up to ``top`` rows per sample, in the order of the samples: ``sample``, ``rank`` (from 1),
        ``drug``, ``score`` (sum over genes of the lowering part × ``weight``, in units of the
        prediction; only above 0), ``genes`` (those that lower this sample and are hit or
        reachable, strongest first), ``genes_contrary``, ``modality``, ``highest_phase``,
        ``approved_blood_cancers``, ``nk_liability``, ``nk_liability_source``.

    Raises
    ------
    InputError
        When a column is missing, ``top`` is below 1, or samples or genes stand twice.
    """
    _require(pairs, PAIR_COLUMNS, "pairs of genes and drugs")
    if top < 1:
        raise InputError(f"top is {top}; expected at least 1 drug a sample.")
    for axis, names in (("samples", contributions.index), ("genes", contributions.columns)):
        if names.has_duplicates:
            repeated = name_some(names[names.duplicated()].unique())
            raise InputError(f"The contributions name {axis} more than once ({repeated}).")
    pairs = pairs[pairs["gene"].isin(contributions.columns) & (pairs["weight"] != 0)]
    genes, drugs = (np.sort(pairs[name].unique()) for name in ("gene", "drug"))
    weights = np.zeros((len(genes), len(drugs)))
    weights[np.searchsorted(genes, pairs["gene"]), np.searchsorted(drugs, pairs["drug"])] = pairs[
        "weight"
    ]
    lowering = np.maximum(-contributions[list(genes)].to_numpy(dtype=np.float64), 0)
    scores = lowering @ weights
    described = pairs.drop_duplicates("drug").set_index("drug")[list(PER_DRUG)]
    rows = []
    for place, sample in enumerate(contributions.index):
        best = np.argsort(-scores[place], kind="stable")[:top]
        for rank, column in enumerate(best[scores[place, best] > 0], start=1):
            parts = lowering[place] * weights[:, column]
            order = np.argsort(-np.abs(parts), kind="stable")
            rows.append(
                {
                    "sample": sample,
                    "rank": rank,
                    "drug": drugs[column],
                    "score": scores[place, column],
                    "genes": "; ".join(genes[order][parts[order] > 0]),
                    "genes_contrary": "; ".join(genes[order][parts[order] < 0]),
                    **described.loc[drugs[column]],
                }
            )
    columns = ["sample", "rank", "drug", "score", "genes", "genes_contrary", *PER_DRUG]
    return pd.DataFrame(rows, columns=columns)


def _match(direction: str, action: str, effect: str) -> tuple[str, str]:
    if direction == GeneDirection.UNCLEAR:
        return UNCLEAR, "the gene's direction is unclear"
    if action == "depleting":
        if direction == GeneDirection.PROTECTS:
            return REACHABLE, "kills the cells that carry the protein"
        return UNCLEAR, "kills the cells that carry the protein, which is low where samples resist"
    if effect not in ("lowers", "raises"):
        return UNCLEAR, f"the effect of the drug on the gene is {effect}"
    helpful = "lowers" if direction == GeneDirection.PROTECTS else "raises"
    if effect == helpful:
        return HIT, f"{effect} a gene that {direction}"
    return CONTRARY, f"{effect} a gene that {direction}"


def _gene_scores(genes: pd.DataFrame) -> pd.Series:
    column = "score" if "score" in genes else "mean_contribution"
    _require(genes, ("gene", "direction", column), "resistance genes")
    twice = genes["gene"].duplicated()
    if twice.any():
        raise InputError(
            f"The resistance genes name {int(twice.sum())} genes more than once "
            f"({name_some(genes.loc[twice, 'gene'])}); expected one row each."
        )
    foreign = sorted(set(genes["direction"].astype(str)) - set(GeneDirection))
    if foreign:
        raise InputError(
            f"The resistance genes have the direction {name_some(foreign)}; expected "
            f"{', '.join(GeneDirection)}."
        )
    values = pd.to_numeric(genes[column], errors="coerce")
    if column == "mean_contribution":
        values = (-values).clip(lower=0)
    impossible = ~np.isfinite(values) | (values < 0)
    if impossible.any():
        raise InputError(
            f"The resistance genes have an impossible {column} for {int(impossible.sum())} genes "
            f"({name_some(genes.loc[impossible, 'gene'])}); expected finite numbers, a score of 0 "
            "or more."
        )
    largest = values.max() if len(values) else 0.0
    return values / largest if largest > 0 else values.astype(np.float64)


def _require(table: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    lacking = [name for name in columns if name not in table]
    if lacking:
        raise InputError(
            f"The table of {what} lacks the columns {name_some(lacking)}; expected "
            f"{name_some(columns, len(columns))}."
        )
