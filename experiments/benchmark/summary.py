"""What the benchmark says: skill of each model, and how sure a difference between two is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.evaluate import spearman, summarise

# Percentiles of a 95 % interval.
_LOWER, _UPPER = 2.5, 97.5

_PLACE = ["family", "split", "size"]
# Fewer test samples say nothing about the ranking within a fold; set by hand.
_SMALLEST_FOLD = 5


def score_tasks(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score every model on every task.

    Parameters
    ----------
    predictions
        See `experiments.benchmark.run.BenchmarkRun`.

    Returns
    -------
    pandas.DataFrame
        Columns ``family, split, size, task, group, entrant, spearman, spearman_within_folds,
        spearman_within_lineage, rmse``: rank correlation over all out-of-fold predictions of a
        repetition, and inside each of its folds (weighted by the number of samples), mean over
        repetitions. RMSE is NaN for models whose prediction has no unit.
    """
    rows = []
    keys = [*_PLACE, "task", "group"]
    for place, part in predictions.groupby(keys, sort=False):
        scored = summarise(part.drop(columns="model").rename(columns={"entrant": "model"}))
        scored = scored.drop(columns="split").rename(columns={"model": "entrant"})
        without_unit = part.loc[~part["has_unit"], "entrant"].unique()
        scored.loc[scored["entrant"].isin(without_unit), "rmse"] = np.nan
        scored["spearman_within_folds"] = scored["entrant"].map(within_folds(part))
        described: dict[str, Any] = dict(zip(keys, place, strict=True))
        rows.append(scored.assign(**described))
    metrics = ["spearman", "spearman_within_folds", "spearman_within_lineage", "rmse"]
    return pd.concat(rows, ignore_index=True)[[*keys, "entrant", *metrics]]


def within_folds(predictions: pd.DataFrame) -> dict[str, float]:
    """Mean rank correlation inside the folds, weighted by samples, of each entrant.

    What is pooled over folds depends on the level of each fold too, which falls where that of the
    training samples rises; inside a fold there is the order alone.
    """
    values: dict[str, list[tuple[float, int]]] = {}
    for (entrant, _, _), fold in predictions.groupby(["entrant", "repeat", "fold"], sort=False):
        if len(fold) >= _SMALLEST_FOLD:
            found = spearman(fold["predicted"].to_numpy(), fold["observed"].to_numpy())
            values.setdefault(str(entrant), []).append((found, len(fold)))
    return {
        entrant: float(np.average([one for one, _ in found], weights=[n for _, n in found]))
        for entrant, found in values.items()
    }


def against_best_peer(
    scores: pd.DataFrame,
    ours: str,
    peers: Sequence[str],
    *,
    resamples: int = 10_000,
    random_state: int = 0,
) -> pd.DataFrame:
    """Compare a model with the best of its peers, tasks drawn with replacement.

    The best peer is the one of the largest mean, for each split and measure anew: what was looked
    for among many is a little too good, in favour of the peers.

    Parameters
    ----------
    scores
        What `score_tasks` returned.
    ours
        Entrant that is compared.
    peers
        Entrants that it is compared with; those that did not take part are left out.
    resamples, random_state
        Number of bootstrap samples of the tasks, and their seed.

    Returns
    -------
    pandas.DataFrame
        Columns ``family, split, size, measure, tasks, ours, peer, best, difference, lower, upper,
        ahead``: means over tasks, their difference with its 95 % interval, and the number of tasks
        on which the model is ahead. Places where the model or all peers are missing are left out.
    """
    rows = []
    for place, part in scores.groupby(_PLACE, sort=False):
        for measure in ("spearman", "spearman_within_folds"):
            table = part.pivot_table(index="task", columns="entrant", values=measure)
            present = [peer for peer in peers if peer in table and table[peer].notna().all()]
            if ours not in table or not present:
                continue
            best = str(table[present].mean().idxmax())
            difference = (table[ours] - table[best]).to_numpy()
            rng = np.random.default_rng(random_state)
            drawn = rng.integers(len(difference), size=(resamples, len(difference)))
            low, high = np.percentile(difference[drawn].mean(axis=1), [_LOWER, _UPPER])
            rows.append(
                dict(zip(_PLACE, place, strict=True))
                | {"measure": measure, "tasks": len(table), "ours": table[ours].mean()}
                | {"peer": best, "best": table[best].mean(), "difference": difference.mean()}
                | {"lower": low, "upper": high, "ahead": int((difference > 0).sum())}
            )
    return pd.DataFrame(rows)


def compare(
    predictions: pd.DataFrame,
    references: dict[str, str],
    *,
    resamples: int = 1000,
    random_state: int = 0,
) -> pd.DataFrame:
    """Average the skill over tasks and compare with a reference, with bootstrap intervals.

    Samples are drawn with replacement, the same ones for all models, tasks and repetitions (paired
    bootstrap); models are not fitted again, so the intervals hold the uncertainty from the samples
    tested, not that from the samples trained on.

    Parameters
    ----------
    predictions
        See `experiments.benchmark.run.BenchmarkRun`.
    references
        Family of tasks → entrant that the others are compared with; a family without one gets
        no differences.
    resamples
        Number of bootstrap samples.
    random_state
        Seed.

    Returns
    -------
    pandas.DataFrame
        One row a family, split, size and entrant: ``spearman, lower, upper`` (mean over tasks, 95
        % interval), ``difference, difference_lower, difference_upper`` (entrant minus reference)
        and ``tasks``. Entrants that lack a task are left out.

    Raises
    ------
    InputError
        When there is no bootstrap sample to draw.
    """
    if resamples < 1:
        raise InputError(f"Found {resamples} bootstrap samples; expected one at least.")
    rows = []
    for place, part in predictions.groupby(_PLACE, sort=False):
        draws = {
            entrant: np.mean(values, axis=0)
            for entrant, values in _by_entrant(part, resamples, random_state)
        }
        reference = draws.get(references.get(str(place[0]), ""))
        for entrant, values in draws.items():
            row = dict(zip(_PLACE, place, strict=True)) | {"entrant": entrant}
            row |= _with_interval(values, "spearman", "lower", "upper")
            if reference is not None:
                names = ("difference", "difference_lower", "difference_upper")
                row |= _with_interval(values - reference, *names)
            rows.append(row | {"tasks": int(part["task"].nunique())})
    return pd.DataFrame(rows)


def bootstrap_spearman(
    predicted: np.ndarray, observed: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Rank correlation when each sample is taken as many times as drawn.

    Parameters
    ----------
    predicted, observed
        One number a sample.
    counts
        Bootstrap samples × samples: how many times each is drawn.

    Returns
    -------
    numpy.ndarray
        Shape (n bootstrap samples,); 0 where either is constant and so ranks nothing.
    """
    left, right = _ranks(predicted, counts), _ranks(observed, counts)
    total = counts.sum(axis=1, keepdims=True)
    left -= (counts * left).sum(axis=1, keepdims=True) / total
    right -= (counts * right).sum(axis=1, keepdims=True) / total
    shared = (counts * left * right).sum(axis=1)
    norm = np.sqrt((counts * left**2).sum(axis=1) * (counts * right**2).sum(axis=1))
    constant = norm < 1e-9
    result: np.ndarray = np.where(constant, 0.0, shared / np.where(constant, 1.0, norm))
    return result


def _ranks(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Average ranks of each sample among all samples drawn."""
    # predictions closer than rounding are ties, as in `nkpredict.evaluate.spearman`
    _, tied = np.unique(np.round(values, 12), return_inverse=True)
    weight = np.zeros((len(counts), int(tied.max()) + 1))
    np.add.at(weight.T, tied, counts.T)
    ranks: np.ndarray = (np.cumsum(weight, axis=1) - (weight - 1) / 2)[:, tied]
    return ranks


def _by_entrant(
    part: pd.DataFrame, resamples: int, random_state: int
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield each entrant's rank correlations on all tasks; the first one is that of all samples."""
    names = pd.Index(sorted(part["sample"].astype(str).unique()))
    rng = np.random.default_rng(random_state)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    counts = np.vstack([np.ones(len(names), dtype=int), drawn]).astype(np.float64)
    tasks = part["task"].nunique()
    for entrant, predicted in part.groupby("entrant", sort=False):
        if predicted["task"].nunique() < tasks:
            continue
        values = []
        for _, task in predicted.groupby("task", sort=False):
            repeats = [
                bootstrap_spearman(
                    one["predicted"].to_numpy(),
                    one["observed"].to_numpy(),
                    counts[:, names.get_indexer(one["sample"].astype(str))],
                )
                for _, one in task.groupby("repeat")
            ]
            values.append(np.mean(repeats, axis=0))
        yield str(entrant), values


def _with_interval(values: np.ndarray, name: str, lower: str, upper: str) -> dict[str, float]:
    low, high = np.percentile(values[1:], [_LOWER, _UPPER])
    return {name: float(values[0]), lower: float(low), upper: float(high)}
