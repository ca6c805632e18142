"""Compare ways to combine screens: hold each screen out in turn and predict its hits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy.stats import norm

from nkpredict.errors import InputError
from nkpredict.evidence._combine import combine_screens, without_t_cells
from nkpredict.evidence._methods import METHODS, combine_matrix
from nkpredict.evidence._standardise import HIT_P, standardise_screens
from nkpredict.evidence._table import ScreenTable
from nkpredict.types import AnyArray, BoolArray, FloatArray, IndexArray, Progress

HIT_SHARES = (0.01, 0.001)
"""Shares of genes with the largest |z| of a held-out screen that count as its hits; set by hand."""
AS_SHIPPED = "as shipped"
"""Name of :func:`combine_screens` with its default method, beside the bare methods."""
COMPARISON_COLUMNS = (
    "held_out",
    "hits",
    "n_hits",
    "by_chance",
    "method",
    "auroc",
    "auroc_low",
    "auroc_high",
    "auprc",
    "auprc_low",
    "auprc_high",
    "same_sign",
)

# Held-out screen and genes → further scores of these genes, by name.
FurtherScores = Callable[[str, pd.Index], Mapping[str, AnyArray]]


def compare_methods(
    screens: ScreenTable,
    *,
    bootstrap: int = 200,
    random_state: int = 0,
    further: FurtherScores | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Predict the hits of each screen from the others, by every method.

    Screens against T cells are left out, replicates merged. The prediction is the size of the
    score; hits are the genes of largest |z| of the held-out screen (`HIT_SHARES`) and, where it
    has p-values, those below the study's limit after calibration.

    Parameters
    ----------
    screens
        Checked screens, two or more independent ones against NK cells.
    bootstrap
        Resamples of hits and of other genes for the 95 % intervals; 0 for none.
    random_state
        Seed of the bootstrap.
    further
        Further scores to judge beside the methods.
    progress
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    pandas.DataFrame
        Columns as in ``COMPARISON_COLUMNS``; ``by_chance`` is the AUPRC of a coin, ``same_sign``
        the share of hits whose score has the sign of the held-out screen.

    Raises
    ------
    InputError
        When there are fewer than two independent screens against NK cells.
    """
    nk_screens, _ = without_t_cells(screens)
    standardised = standardise_screens(nk_screens)
    names = list(standardised.z.columns)
    if len(names) < 2:
        raise InputError(
            f"There is one independent screen against NK cells only ({names[0]}); expected two or "
            "more, replicates not counted, so that one can be predicted from the others."
        )
    z, weights = standardised.z.to_numpy(), standardised.weights
    rows = []
    for number, name in enumerate(names):
        if progress is not None:
            progress("comparing", number, len(names))
        others = np.arange(z.shape[1]) != number
        use = np.isfinite(z[:, number]) & np.isfinite(z[:, others]).any(axis=1)
        truth, genes = z[use, number], standardised.z.index[use]
        members = list(standardised.notes[number]["inflation"])
        left = ScreenTable(
            nk_screens.table[~nk_screens.table["screen"].isin(members)], nk_screens.provenance
        )
        shipped = combine_screens(left).table["score"]
        scores = {
            method: combine_matrix(z[use][:, others], weights[others], method).score
            for method in METHODS
        }
        scores[AS_SHIPPED] = shipped.reindex(genes).to_numpy()
        scores |= further(name, genes) if further is not None else {}
        hits = {f"top {share:.1%}": _largest(np.abs(truth), share) for share in HIT_SHARES}
        if standardised.tests_alone[number]:
            hits[f"p < {HIT_P:g}"] = 2 * norm.sf(np.abs(truth)) < HIT_P
        for definition, hit in hits.items():
            if not hit.any() or hit.all():
                continue
            about = {"held_out": name, "hits": definition, "n_hits": int(hit.sum())}
            about["by_chance"] = float(hit.mean())
            for method, score in scores.items():
                judged = judge(score, truth, hit)
                interval = _intervals(hit, np.abs(score), bootstrap, random_state)
                rows.append(about | {"method": method} | judged | interval)
    if progress is not None:
        progress("comparing", len(names), len(names))
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def mean_auprc(comparison: pd.DataFrame) -> pd.Series:
    """Average, over held-out screens, the AUPRC of the widest definition of a hit.

    Parameters
    ----------
    comparison
        As :func:`compare_methods` returns it.

    Returns
    -------
    pandas.Series
        By method, largest first.
    """
    widest = comparison[comparison["hits"] == f"top {HIT_SHARES[0]:.1%}"]
    return widest.groupby("method")["auprc"].mean().sort_values(ascending=False)


def judge(score: FloatArray, truth: BoolArray, hit: BoolArray) -> dict[str, float]:
    """Say how well the size of a score finds hits, and how often its sign is theirs.

    Parameters
    ----------
    score, truth
        Signed, shape (n_genes,).
    hit
        Which genes are hits, shape (n_genes,); some, not all.

    Returns
    -------
    dict
        ``auroc``, ``auprc`` and ``same_sign``; a score of 0 has the wrong sign.
    """
    auroc, auprc = _areas(np.abs(score))(hit, ~hit)
    return {
        "auroc": auroc,
        "auprc": auprc,
        "same_sign": float(np.mean(np.sign(score[hit]) == np.sign(truth[hit]))),
    }


def _largest(size: FloatArray, share: float) -> BoolArray:
    return np.asarray(size >= np.quantile(size, 1 - share))


def _intervals(
    hit: BoolArray, size: FloatArray, repeats: int, random_state: int
) -> dict[str, float]:
    """95 % intervals over resampled hits and resampled other genes."""
    if repeats == 0:
        ends = ("auroc_low", "auroc_high", "auprc_low", "auprc_high")
        return dict.fromkeys(ends, float("nan"))
    rng = np.random.default_rng(random_state)
    areas = _areas(size)
    drawn = [areas(_resampled(hit, rng), _resampled(~hit, rng)) for _ in range(repeats)]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return {
        "auroc_low": float(low[0]),
        "auroc_high": float(high[0]),
        "auprc_low": float(low[1]),
        "auprc_high": float(high[1]),
    }


def _resampled(selected: BoolArray, rng: np.random.Generator) -> IndexArray:
    """How often each of the selected genes is drawn, as many times as there are."""
    at = np.flatnonzero(selected)
    return np.bincount(at[rng.integers(len(at), size=len(at))], minlength=len(selected))


def _areas(size: FloatArray) -> Callable[[AnyArray, AnyArray], tuple[float, float]]:
    """Areas under the ROC and the precision-recall curve, for weights of hits and other genes.

    Sorting once makes hundreds of resamples cheap. Ties share one point of the curve, and the
    precision-recall area is the average precision, both as in scikit-learn.
    """
    order = np.argsort(-size, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(size[order]) != 0, True))

    def areas(hits: AnyArray, others: AnyArray) -> tuple[float, float]:
        true = np.append(0.0, np.cumsum(hits[order])[ends])
        false = np.append(0.0, np.cumsum(others[order])[ends])
        auroc = np.trapezoid(true, false) / (true[-1] * false[-1])
        precision = true[1:] / np.maximum(true[1:] + false[1:], 1.0)
        return float(auroc), float((np.diff(true) * precision).sum() / true[-1])

    return areas
