"""Which genes hold the samples' susceptibility down, and whether the screens agree."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.learn.evidence import Evidence, signed_evidence

# A gene counts as resisting in a sample when it is among this many lowest contributions there.
TOP_GENES = 20


def resistance_genes(
    contributions: pd.DataFrame, effect: np.ndarray, evidence: Evidence = None
) -> pd.DataFrame:
    """Rank the genes that lower the predicted susceptibility of a cohort.

    Parameters
    ----------
    contributions
        Samples × genes, parts of the prediction.
    effect
        Change of the prediction per standard deviation of each gene, shape (n_genes,).
    evidence
        Evidence the model was trained with, for comparison.

    Returns
    -------
    pandas.DataFrame
        One row for each gene that lowers the prediction of at least one sample, ranked by the
        mean of its lowering parts: ``gene, mean_contribution, lowest_contribution``,
        ``samples_resisting`` (share of samples where the gene is among the 20 lowest),
        ``direction`` (``protects``: high expression lowers susceptibility; ``sensitizes``: the
        gene resists by being low; ``unclear``: the model has no slope on it), ``evidence``
        (+ = screens say sensitizes) and ``evidence_reading`` (``agrees``, ``conflicts``,
        ``unclear`` or ``no screen``).
    """
    values = contributions.to_numpy()
    lowering = np.minimum(values, 0)
    strength = -lowering.mean(axis=0)
    kept = np.flatnonzero(strength > 0)
    kept = kept[np.argsort(-strength[kept], kind="stable")]
    top = min(TOP_GENES, values.shape[1])
    lowest = np.argpartition(values, top - 1, axis=1)[:, :top]
    chosen = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(chosen, lowest, True, axis=1)
    chosen &= values < 0
    genes = contributions.columns[kept]
    slope = np.asarray(effect)[kept]
    direction = np.select([slope > 0, slope < 0], ["sensitizes", "protects"], "unclear")
    signed = signed_evidence(evidence, genes) if _knows_names(evidence) else np.zeros(len(genes))
    return pd.DataFrame(
        {
            "gene": genes,
            "mean_contribution": values[:, kept].mean(axis=0),
            "lowest_contribution": values[:, kept].min(axis=0),
            "samples_resisting": chosen[:, kept].mean(axis=0),
            "direction": direction,
            "evidence": signed,
            "evidence_reading": _reading(direction, signed),
        }
    )


def _reading(direction: np.ndarray, signed: np.ndarray) -> np.ndarray:
    sign = np.select([direction == "sensitizes", direction == "protects"], [1, -1], 0)
    product = sign * np.sign(signed)
    reading: np.ndarray = np.select(
        [signed == 0, product > 0, product < 0], ["no screen", "agrees", "conflicts"], "unclear"
    )
    return reading


def _knows_names(evidence: Evidence) -> bool:
    return evidence is not None and not isinstance(evidence, np.ndarray)
