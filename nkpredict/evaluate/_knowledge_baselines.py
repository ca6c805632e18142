"""What a score from published knowledge must beat: indices of ten lines, and lineage alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.types import FloatArray

ACTIVATING_LIGANDS = (
    "CD48", "CD58", "CD70", "CLEC2B", "ICAM1", "MICA", "MICB", "NCR3LG1", "NECTIN2", "PVR",
    "TNFSF9", "ULBP1", "ULBP2", "ULBP3",
)  # fmt: skip
"""Ligands that activate NK cells or hold them to the tumour cell."""
INHIBITORY_LIGANDS = ("CD200", "CD274", "CD47", "HLA-A", "HLA-B", "HLA-C", "HLA-E", "HLA-G")
"""Ligands that inhibit NK cells."""
HLA_CLASS_I = ("B2M", "HLA-A", "HLA-B", "HLA-C", "HLA-E")
"""Subunits of the molecules that most inhibitory receptors bind."""
PUBLISHED_LINEAGE_ORDER = {"AML": 1, "TCL": 2.5, "T-ALL": 2.5, "BCL": 4, "MM": 5, "B-ALL": 6}
"""Place of each lineage from most to least sensitive, as blood-cancer lines were killed by expanded
NK cells (Dufva et al. 2023, doi 10.1016/j.immuni.2023.11.008)."""


def ligand_index(profiles: pd.DataFrame) -> pd.Series:
    """Mean standard score of activating ligands minus that of inhibitory ones.

    Parameters
    ----------
    profiles
        Samples × genes on a logarithmic scale; genes are standardised over these samples.

    Returns
    -------
    pandas.Series
        One number a sample, higher = should be killed more easily.

    Raises
    ------
    InputError
        When a side has no gene in the profiles.
    """
    standard = _standardised(profiles)
    return _mean(standard, ACTIVATING_LIGANDS) - _mean(standard, INHIBITORY_LIGANDS)


def hla_class_i_index(profiles: pd.DataFrame) -> pd.Series:
    """Minus the mean standard score of HLA class I; see `ligand_index`."""
    return -_mean(_standardised(profiles), HLA_CLASS_I)


def random_signed_sets(
    profiles: pd.DataFrame, genes: int, draws: int, random_state: int
) -> FloatArray:
    """Score samples by random genes with random signs: what any set of this size gives.

    Parameters
    ----------
    profiles
        Samples × genes; see `ligand_index`.
    genes
        Genes in a set; all that there are when they are fewer.
    draws
        How many sets.
    random_state
        Seed.

    Returns
    -------
    numpy.ndarray
        Draws × samples.
    """
    standard = _standardised(profiles).to_numpy()
    generator = np.random.default_rng(random_state)
    size = min(genes, standard.shape[1])
    scores = np.empty((draws, len(standard)))
    for draw in range(draws):
        chosen = generator.choice(standard.shape[1], size, replace=False)
        scores[draw] = standard[:, chosen] @ generator.choice([-1.0, 1.0], size) / size
    return scores


def _standardised(profiles: pd.DataFrame) -> pd.DataFrame:
    spread = profiles.std(ddof=0)
    return ((profiles - profiles.mean()) / spread.where(spread > 0)).dropna(axis=1, how="all")


def _mean(standard: pd.DataFrame, genes: tuple[str, ...]) -> pd.Series:
    found = standard.columns.intersection(list(genes))
    if found.empty:
        raise InputError(
            f"The profiles hold none of the {len(genes)} genes {name_some(genes)}; expected "
            "approved symbols as columns."
        )
    return standard[found].mean(axis=1)
