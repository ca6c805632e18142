"""Profiles as known platforms read them, from the shipped levels."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.features import RankedProfiles
from nkpredict.shipped import shipped_path
from nkpredict.vocabulary import Platform

KNOWN = [str(one) for one in Platform if one is not Platform.UNKNOWN]


def levels_of_platforms() -> pd.DataFrame:
    """Six hundred genes of the shipped table that every platform has."""
    table = pd.read_csv(shipped_path("reference", "platform_levels.csv.gz"))
    everywhere = table["gene"].value_counts()
    genes = sorted(everywhere.index[everywhere == len(KNOWN)])[::5][:600]
    return table[table["gene"].isin(genes)]


LEVELS = levels_of_platforms()
GENES = np.array(sorted(LEVELS["gene"].unique()))


def measured(platform: str, biology: np.ndarray, on_arrays: bool = False) -> RankedProfiles:
    """Profiles of one biology as a platform, or an array, reads them."""
    own = LEVELS[LEVELS["platform"] == platform].set_index("gene").loc[GENES]
    level, spread = ("array_level", "array_spread") if on_arrays else ("level", "spread")
    return RankedProfiles.of(own[level].to_numpy() + biology * own[spread].to_numpy())


def biology(seed: int, samples: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(samples, len(GENES)))
