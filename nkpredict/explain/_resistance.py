"""Which genes hold the samples' susceptibility down, and whether the screens agree."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.evidence import GeneEvidence, ScreenTable, gene_categories
from nkpredict.explain._stability import Stability
from nkpredict.learn import Evidence, signed_evidence

# A gene counts as resisting in a sample when it is among this many lowest contributions there;
# set by hand.
TOP_GENES = 20
NO_CATEGORY = "uncategorised"


def resistance_genes(
    contributions: pd.DataFrame,
    effect: np.ndarray,
    evidence: Evidence = None,
    drivers: pd.DataFrame | None = None,
    stability: Stability | None = None,
    measured: np.ndarray | None = None,
) -> pd.DataFrame:
    """Rank the genes that lower the predicted susceptibility of samples.

    The score is what a gene takes from the susceptibility, times how far that is to be believed:
    the mean of its lowering parts × the probability that it drives the response, where `drivers`
    are given and their effect points the way of the model's; else × ½ (1 + a), with a the evidence
    in the direction of the model's effect (-1 to 1, 0 without a screen); × the selection frequency
    where `stability` is given; and × the share of samples in which the gene was measured where
    that is given: a gene that was not counts as average, which says nothing about the sample.

    Parameters
    ----------
    contributions
        Samples × genes, parts of the prediction.
    effect
        Change of the prediction per standard deviation of each gene, shape (n_genes,).
    evidence
        Evidence the model was trained with, for comparison.
    drivers
        Columns ``gene, probability, effect`` as :func:`~nkpredict.explain.driver_scores`
        returns them for the training data; a gene that is not in it has the probability 0.
    stability
        Refits of the same model; a gene that is not in it has the frequency 0.
    measured
        Share of the samples in which each gene was measured, shape (n_genes,).

    Returns
    -------
    pandas.DataFrame
        One row for each gene that lowers the prediction of at least one sample, ranked by score
        and then by the mean of its lowering parts: ``gene, mean_contribution,
        lowest_contribution``, ``samples_resisting`` (share of samples where the gene is among the
        20 lowest), ``direction`` (``protects``: high expression lowers susceptibility;
        ``sensitizes``: the gene resists by being low; ``unclear``: the model has no slope on it),
        ``evidence`` (+ = screens say sensitizes), ``evidence_reading`` (``agrees``, ``conflicts``,
        ``unclear`` or ``no screen``), ``category`` (of the knowledge base) and ``score`` (in the
        unit of the prediction). With drivers also ``driver_probability`` and ``driver_effect``;
        with stability ``selection_frequency`` and ``sign_agreement``; with `measured` this share.
    """
    values = contributions.to_numpy()
    strength = -np.minimum(values, 0).mean(axis=0)
    kept = np.flatnonzero(strength > 0)
    top = min(TOP_GENES, values.shape[1])
    lowest = np.argpartition(values, top - 1, axis=1)[:, :top]
    chosen = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(chosen, lowest, True, axis=1)
    chosen &= values < 0
    genes = contributions.columns[kept]
    sign = np.sign(np.asarray(effect)[kept])
    signed = signed_evidence(evidence, genes) if _knows_names(evidence) else np.zeros(len(genes))
    categories = gene_categories()
    table = pd.DataFrame(
        {
            "gene": genes,
            "mean_contribution": values[:, kept].mean(axis=0),
            "lowest_contribution": values[:, kept].min(axis=0),
            "samples_resisting": chosen[:, kept].mean(axis=0),
            "direction": np.select([sign > 0, sign < 0], ["sensitizes", "protects"], "unclear"),
            "evidence": signed,
            "evidence_reading": _reading(sign, signed),
            "category": [categories.get(str(gene), NO_CATEGORY) for gene in genes],
        }
    )
    score = strength[kept]
    if drivers is None:
        score = score * 0.5 * (1 + sign * signed)
    else:
        own = drivers.set_index("gene").reindex(genes)
        table["driver_probability"] = own["probability"].fillna(0.0).to_numpy()
        table["driver_effect"] = own["effect"].fillna(0.0).to_numpy()
        same = np.sign(table["driver_effect"].to_numpy()) == sign
        score = score * np.where(same, table["driver_probability"], 0.0)
    if stability is not None:
        own = stability.genes.set_index("gene").reindex(genes)
        table["selection_frequency"] = own["selection_frequency"].fillna(0.0).to_numpy()
        table["sign_agreement"] = own["sign_agreement"].to_numpy()
        score = score * table["selection_frequency"].to_numpy()
    if measured is not None:
        table["measured"] = np.asarray(measured)[kept]
        score = score * table["measured"].to_numpy()
    table["score"] = score
    order = np.lexsort((-strength[kept], -score))
    return table.iloc[order].reset_index(drop=True)


def _reading(sign: np.ndarray, signed: np.ndarray) -> np.ndarray:
    product = sign * np.sign(signed)
    reading: np.ndarray = np.select(
        [signed == 0, product > 0, product < 0], ["no screen", "agrees", "conflicts"], "unclear"
    )
    return reading


def _knows_names(evidence: Evidence) -> bool:
    return isinstance(evidence, GeneEvidence | ScreenTable)
