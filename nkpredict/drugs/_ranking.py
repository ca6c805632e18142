"""Rank the drugs of a cohort and of its samples, those that harm NK cells below a line."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.drugs._pairs import (
    ABOVE,
    BELOW_CONTRARY,
    BELOW_HARMS,
    CONTRARY,
    HIT,
    PAIR_COLUMNS,
    REACHABLE,
    ranks_last,
    require_columns,
)
from nkpredict.drugs._table import PER_DRUG
from nkpredict.errors import InputError, name_some
from nkpredict.types import FloatArray
from nkpredict.vocabulary import NKLiability

_GENE_LISTS = {"genes_hit": HIT, "genes_reachable": REACHABLE, "genes_contrary": CONTRARY}
_LISTS = (ABOVE, BELOW_HARMS, BELOW_CONTRARY)


def rank_drugs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Rank the drugs of a cohort by the resistance genes they hit.

    Parameters
    ----------
    pairs
        What :func:`druggable_targets` returned.

    Returns
    -------
    pandas.DataFrame
        One row per drug with a hit or a reachable protein: ``drug``, ``listed`` (``above the
        line``, or below it and why: it harms NK cells, or its contrary actions outweigh its
        hits), ``rank`` (from 1 in each list), ``score`` (sum of the ``rank_score`` of its pairs,
        contrary actions subtracted), ``score_without_liability`` (the same as if nothing were
        known of NK cells), ``genes_hit``, ``genes_reachable`` and ``genes_contrary`` (joined by
        ``"; "``, strongest first), ``n_hits`` and what is known of the drug, columns as in
        :data:`~PER_DRUG`. Those above the line come first, ranked by ``score``, behind them the
        cytotoxic ones whose effect on NK cells is unknown; those below are ranked by
        ``score_without_liability``. No rows when no drug fits.

    Raises
    ------
    InputError
        When a column is missing.
    """
    require_columns(pairs, PAIR_COLUMNS, "pairs of genes and drugs")
    fitting = pairs.loc[pairs["match"].isin((HIT, REACHABLE)), "drug"]
    matching = pairs[pairs["drug"].isin(fitting)]
    matching = matching.assign(score_without_liability=matching["gene_score"] * matching["fit"])
    # the strongest first, for a warning the one that harms most
    matching = matching.sort_values(
        "score_without_liability", key=abs, ascending=False, kind="stable"
    )
    by_drug = matching.groupby("drug", sort=True)
    ranked = by_drug[["rank_score", "score_without_liability"]].sum()
    ranked = ranked.rename(columns={"rank_score": "score"})
    for column, match in _GENE_LISTS.items():
        named = matching[matching["match"] == match].groupby("drug")["gene"].agg("; ".join)
        ranked[column] = named.reindex(ranked.index).fillna("")
    ranked["n_hits"] = (matching["match"] == HIT).groupby(matching["drug"]).sum()
    ranked = ranked.join(by_drug[list(PER_DRUG)].first()).reset_index()
    listed = pd.Series(BELOW_CONTRARY, ranked.index).mask(ranked["score"] > 0, ABOVE)
    ranked["listed"] = listed.mask(ranked["nk_liability"] == NKLiability.HARMS, BELOW_HARMS)
    ranked["order"] = ranked["listed"].map(_LISTS.index)
    above = ranked["listed"] == ABOVE
    ranked["key"] = ranked["score"].where(above, ranked["score_without_liability"])
    ranked["last"] = above & ranks_last(ranked)
    ranked = ranked.sort_values(
        ["order", "last", "key", "drug"], ascending=[True, True, False, True]
    )
    ranked["rank"] = ranked.groupby("listed").cumcount() + 1
    first = ["drug", "listed", "rank", "score", "score_without_liability"]
    return ranked[[*first, *_GENE_LISTS, "n_hits", *PER_DRUG]].reset_index(drop=True)


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
        How many drugs to list for a sample, above and below the line.

    Returns
    -------
    pandas.DataFrame
        Up to ``top`` rows per sample and list, in the order of the samples: ``sample``,
        ``listed`` (``above the line`` or ``below the line: harms NK cells``), ``rank`` (from 1 in
        each list; last above the line are cytotoxic drugs of unknown effect on NK cells),
        ``drug``, ``score`` (sum over genes of the lowering part × ``weight``, in units of the
        prediction; only above 0; below the line × ``fit``, as if nothing were known of NK cells),
        ``genes`` (those that lower this sample and are hit or reachable, strongest first),
        ``genes_contrary`` and what is known of the drug, columns as in :data:`~PER_DRUG`. A
        sample without rows above the line has no drug.

    Raises
    ------
    InputError
        When a column is missing, ``top`` is below 1, or samples or genes stand twice.
    """
    require_columns(pairs, PAIR_COLUMNS, "pairs of genes and drugs")
    if top < 1:
        raise InputError(f"top is {top}; expected at least 1 drug a sample.")
    for axis, names in (("samples", contributions.index), ("genes", contributions.columns)):
        if names.has_duplicates:
            repeated = name_some(names[names.duplicated()].unique())
            raise InputError(f"The contributions name {axis} more than once ({repeated}).")
    pairs = pairs[pairs["gene"].isin(contributions.columns) & (pairs["fit"] != 0)]
    genes = np.sort(pairs["gene"].unique())
    lowering = np.maximum(-contributions[list(genes)].to_numpy(dtype=np.float64), 0)
    harms = pairs["nk_liability"] == NKLiability.HARMS
    lists = [
        (ABOVE, *_fits(pairs[~harms], "weight", genes)),
        (BELOW_HARMS, *_fits(pairs[harms], "fit", genes)),
    ]
    described = pairs.drop_duplicates("drug").set_index("drug")[list(PER_DRUG)]
    facts = {str(row[0]): tuple(row[1:]) for row in described.itertuples(name=None)}
    last = set(described.index[ranks_last(described)])
    # tuples, since many samples make many rows
    rows = [
        (sample, listed, *row, *facts[row[1]])
        for place, sample in enumerate(contributions.index)
        for listed, drugs, weights in lists
        for row in _best_of(lowering[place], genes, drugs, weights, last, top)
    ]
    columns = ["sample", "listed", "rank", "drug", "score", "genes", "genes_contrary", *PER_DRUG]
    return pd.DataFrame(rows, columns=columns)


def drugs_in_words(drugs: pd.DataFrame) -> str:
    """Say in one or two sentences how many drugs were found; none is an answer.

    Parameters
    ----------
    drugs
        What :func:`rank_drugs` or, of one sample, :func:`rank_drugs_by_sample` returned.

    Returns
    -------
    str
        Begins with "No drug found" when none stands above the line.
    """
    listed = drugs["listed"] if "listed" in drugs else pd.Series(dtype=object)
    above, harming = int((listed == ABOVE).sum()), int((listed == BELOW_HARMS).sum())
    if above:
        words = f"{above} {'drug acts' if above == 1 else 'drugs act'} against these genes."
    else:
        words = "No drug found: none listed acts against these genes and leaves NK cells unharmed."
    if harming:
        words += f" Below the line, because they harm NK cells: {harming}."
    return words


def _fits(pairs: pd.DataFrame, column: str, genes: np.ndarray) -> tuple[np.ndarray, FloatArray]:
    """Return the drugs of the pairs and genes × drugs what each pair counts."""
    drugs = np.sort(pairs["drug"].unique())
    weights = np.zeros((len(genes), len(drugs)))
    places = np.searchsorted(genes, pairs["gene"]), np.searchsorted(drugs, pairs["drug"])
    weights[places] = pairs[column]
    return drugs, weights


def _best_of(
    lowering: FloatArray,
    genes: np.ndarray,
    drugs: np.ndarray,
    weights: FloatArray,
    last: set[str],
    top: int,
) -> list[tuple[int, str, float, str, str]]:
    """Return rank, drug, score, genes and contrary genes of the best drugs of a sample."""
    scores = lowering @ weights
    best = np.lexsort((-scores, np.isin(drugs, list(last))))
    rows = []
    for rank, column in enumerate(best[scores[best] > 0][:top], start=1):
        parts = lowering * weights[:, column]
        order = np.argsort(-np.abs(parts), kind="stable")
        rows.append(
            (
                rank,
                drugs[column],
                scores[column],
                "; ".join(genes[order][parts[order] > 0]),
                "; ".join(genes[order][parts[order] < 0]),
            )
        )
    return rows
