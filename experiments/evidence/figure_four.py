"""The genes of figure 4 of Dufva et al. 2023, found by other studies' screens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm, rankdata

from experiments.evidence.screens import FILES, METADATA, ORCS, ORCS_FILE, ZHUANG, Table, without
from nkpredict.evidence import (
    METHODS,
    ScreenTable,
    combine_matrix,
    combine_screens,
    known_hits,
    read_screens,
    standardise_screens,
)

FIGURE = "Dufva 2023"
APART = {name: METADATA[name] | {"experiment": name} for name in (ZHUANG, ORCS)}


def figure_four_table(data: Path, repeats: int) -> Table:
    """Rank the genes of the figure among all genes measured, by each way to combine screens."""
    mle, matrix, orcs = (data / name for name in (*FILES, ORCS_FILE))
    zhuang = _nk(mle, orcs)
    every = _nk(mle, matrix, orcs)
    ways: list[tuple[str, Callable[[], pd.Series]]] = [
        ("Zhuang, MLE file", lambda: _shipped(_nk(mle))),
        ("Zhuang, ORCS file", lambda: _shipped(_nk(orcs))),
        ("Zhuang, ORCS file, genes with an effect", lambda: _shipped(_signed(_nk(orcs)))),
        ("Zhuang, both as independent", lambda: _shipped(_nk(mle, orcs, metadata=APART))),
        ("Zhuang, both as one study, no signs joined", lambda: _shipped(_signed(zhuang))),
        ("Zhuang, both as one study", lambda: _shipped(zhuang)),
        *(
            (f"with Pech and Freeman, {method}", lambda method=method: _alone(every, method))
            for method in METHODS
        ),
        ("with Pech and Freeman, Fisher, sign ignored", lambda: _fisher(every)),
        ("with Pech and Freeman, as shipped", lambda: _shipped(every)),
    ]
    rows = []
    for title, way in ways:
        size = way()
        listed = size.index.isin(_figure_genes())
        value, low, high = _auroc(size.to_numpy(), listed, repeats)
        interval = f"{value:.3f} ({low:.2f} to {high:.2f})"
        rows.append([title, f"{listed.sum()} of {len(listed):,}", interval])
    columns = ["screens and way", "genes of the figure", "AUROC of the size of the score"]
    return "Genes of figure 4 of Dufva 2023, knowledge base left out", columns, rows


def _nk(*paths: Path, metadata: dict[str, dict[str, str]] | None = None) -> ScreenTable:
    stems = " ".join(path.name for path in paths)
    given = METADATA | (metadata or {})
    given = {
        name: own for name, own in given.items() if name not in (ZHUANG, ORCS) or name in stems
    }
    screens = read_screens(*paths, metadata=given)
    return without(screens, screens.screens.index[screens.screens["effector"] == "T cell"])


def _signed(screens: ScreenTable) -> ScreenTable:
    return ScreenTable(screens.table.dropna(subset=["effect"]), screens.provenance)


def _shipped(screens: ScreenTable) -> pd.Series:
    return combine_screens(screens).table["score"].abs()


def _alone(screens: ScreenTable, method: str) -> pd.Series:
    standardised = standardise_screens(screens)
    score = combine_matrix(standardised.z.to_numpy(), standardised.weights, method).score
    return pd.Series(np.abs(score), index=standardised.z.index)


def _fisher(screens: ScreenTable) -> pd.Series:
    """Fisher's sum of -2 ln p (two-sided), as -ln of its p."""
    z = standardise_screens(screens).z
    logs = -2 * (np.log(2) + norm.logsf(z.abs().to_numpy()))
    degrees = 2 * np.isfinite(logs).sum(axis=1)
    return pd.Series(-chi2.logsf(np.nansum(logs, axis=1), np.maximum(degrees, 1)), index=z.index)


def _figure_genes() -> set[str]:
    hits = known_hits()
    return set(hits.loc[hits["study"] == FIGURE, "gene"])


def _auroc(size: np.ndarray, listed: np.ndarray, repeats: int) -> tuple[float, float, float]:
    """AUROC and its 95 % interval over bootstrap samples of the listed and of the other genes."""

    def of(chosen: np.ndarray, others: np.ndarray) -> float:
        ranks = rankdata(np.concatenate([chosen, others]))
        n, m = len(chosen), len(others)
        return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))

    rng = np.random.default_rng(0)
    own, other = size[listed], size[~listed]
    drawn = [of(rng.choice(own, len(own)), rng.choice(other, len(other))) for _ in range(repeats)]
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (np.nan, np.nan)
    return of(own, other), float(low), float(high)
