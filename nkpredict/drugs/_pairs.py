"""Pair genes that make samples resist with the drugs that act on them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.drugs._surface import surface_proteins
from nkpredict.drugs._table import TargetTable, known_targets
from nkpredict.drugs._vocabulary import Phase, Relation
from nkpredict.errors import InputError, name_some
from nkpredict.vocabulary import UNKNOWN, GeneDirection, NKLiability

HIT = "hit"
REACHABLE = "antibody-reachable"
CONTRARY = "warning: contrary action"
UNCLEAR = "unclear"
MATCHES = (HIT, REACHABLE, CONTRARY, UNCLEAR)

ABOVE = "above the line"
BELOW_HARMS = "below the line: harms NK cells"
BELOW_CONTRARY = "below the line: contrary action"
BELOW_UNCLEAR = "below the line: effect unclear"
"""Whether a drug is listed among those to try, and if not, why."""

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
    NKLiability.MIXED: 0.7,
    NKLiability.UNKNOWN: 0.6,
    NKLiability.HARMS: 0.0,
}
"""What the drug does to the NK cells themselves. Not known is not taken for harmless: most
cytotoxic drugs harm NK cells. What harms them gains nothing by its hits and stands below the
line."""
UNKNOWN_NOT_CYTOTOXIC_WEIGHT = 0.8
"""Of a drug whose effect on NK cells is not known and whose class is not cytotoxic."""
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
    "listed",
    "mechanism_class",
    "cytotoxic",
    "modality",
    "action",
    "effect_on_gene",
    "relation",
    "highest_phase",
    "approved_blood_cancers",
    "nk_liability",
    "nk_liability_source",
    "measured_with_nk_cells",
    "measured_with_nk_cells_source",
    "antibody_reachable",
    "source",
    "note",
    "fit",
    "weight",
    "rank_score",
)
_FROM_GENES = ("samples_resisting", "evidence", "evidence_reading")
_LISTED = {
    HIT: ABOVE,
    REACHABLE: ABOVE,
    CONTRARY: BELOW_CONTRARY,
    UNCLEAR: BELOW_UNCLEAR,
}
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
        by ``rank_score`` = ``gene_score`` (the gene's score divided by the largest) × ``weight``.
        ``fit`` is :data:`MATCH_WEIGHT` × :data:`PHASE_WEIGHT` × :data:`RELATION_WEIGHT`; the
        ``weight`` of a hit is that × :data:`LIABILITY_WEIGHT`, 0 for a drug that harms NK cells,
        the weight of a contrary action is its whole, negative ``fit``. ``listed`` says which
        pairs are ``above the line``, and why the others are not; those above come first, among
        them last the cytotoxic drugs whose effect on NK cells is unknown. ``antibody_reachable`` is
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
    pairs["fit"] = (
        pairs["match"].map(MATCH_WEIGHT)
        * pairs["highest_phase"].map(PHASE_WEIGHT)
        * pairs["relation"].map(RELATION_WEIGHT)
    ).astype(np.float64)
    liability = pairs["nk_liability"].map(LIABILITY_WEIGHT).astype(np.float64)
    harmless_class = (pairs["nk_liability"] == UNKNOWN) & (pairs["cytotoxic"] == "no")
    liability = liability.mask(harmless_class, UNKNOWN_NOT_CYTOTOXIC_WEIGHT)
    # what a drug does to NK cells makes a contrary action no better
    pairs["weight"] = pairs["fit"] * liability.where(pairs["fit"] > 0, 1.0)
    pairs["listed"] = (
        pairs["match"].map(_LISTED).mask(pairs["nk_liability"] == NKLiability.HARMS, BELOW_HARMS)
    )
    # + 0.0 turns -0.0 into 0.0
    pairs["rank_score"] = pairs["gene_score"] * pairs["weight"] + 0.0
    pairs = pairs.assign(below=pairs["listed"] != ABOVE, last=ranks_last(pairs)).sort_values(
        ["below", "last", "rank_score", "gene_score", "gene", "drug"],
        ascending=[True, True, False, False, True, True],
    )
    return pairs[[*PAIR_COLUMNS, *handed_on]].reset_index(drop=True)


def ranks_last(drugs: pd.DataFrame) -> pd.Series:
    """Tell the cytotoxic drugs of unknown effect on NK cells, which stand behind all others.

    Most cytotoxic drugs that were measured harm NK cells, so that no score lifts one that was not
    above one whose effect is known to be mixed.
    """
    return (drugs["nk_liability"] == UNKNOWN) & (drugs["cytotoxic"] == "yes")


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
    require_columns(genes, ("gene", "direction", column), "resistance genes")
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


def require_columns(table: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    """Refuse a table that lacks columns."""
    lacking = [name for name in columns if name not in table]
    if lacking:
        raise InputError(
            f"The table of {what} lacks the columns {name_some(lacking)}; expected "
            f"{name_some(columns, len(columns))}."
        )
