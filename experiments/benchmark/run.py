"""Fit every model of a benchmark on the same folds; what is on disk already is not fitted again."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from experiments.benchmark.cache import (
    LOADED_AT,
    code_changed,
    digest,
    estimator_fingerprint,
    file_name,
    read_result,
    table_fingerprint,
)
from experiments.benchmark.peers import AVERAGES, Peer, PeerSetting
from experiments.benchmark.tasks import NO_EVIDENCE, BenchmarkTask
from nkpredict.errors import InputError
from nkpredict.evaluate import SPLITS, Fold, limited, make_folds, without_gaps
from nkpredict.io import write_json
from nkpredict.learn import MINIMUM_SAMPLES

ALL_SAMPLES = 0
"""Stands for the whole training set where sizes are listed."""


@dataclass(frozen=True)
class Unit:
    """One model fitted on one training set.

    Attributes
    ----------
    task, split, repeat, fold, size
        Which training and test samples; ``size`` 0 is the whole training set.
    model
        Name in the registry of peers.
    entrant
        Name in the tables: the model, with the quality of its evidence where there are several.
    has_unit
        Whether the model predicts the response itself.
    path
        Where the result is stored; the name holds a hash of everything it depends on.
    """

    task: str
    split: str
    repeat: int
    fold: int
    size: int
    model: str
    entrant: str
    has_unit: bool
    path: Path


@dataclass(frozen=True, eq=False)
class BenchmarkRun:
    """Out-of-fold predictions of all models.

    Attributes
    ----------
    predictions : pandas.DataFrame
        One row a test sample and fit: ``task, family, group, split, size, repeat, fold, model,
        entrant, has_unit, sample, lineage, observed, predicted``.
    fits : pandas.DataFrame
        One row a fit: ``task, split, size, repeat, fold, model, entrant, seconds, warnings``.
    failures : pandas.DataFrame
        One row a fit that failed in this run: ``task, split, size, repeat, fold, model, entrant,
        reason``. All results of that entrant on that task and split are left out.
    computed, reused : int
        Number of fits made now, and found on disk.
    """

    predictions: pd.DataFrame
    fits: pd.DataFrame
    failures: pd.DataFrame
    computed: int
    reused: int


def run_benchmark(
    tasks: Sequence[BenchmarkTask],
    peers: Mapping[str, Peer],
    *,
    folder: str | Path,
    splits: Sequence[str] = SPLITS,
    folds: int = 5,
    repeats: int = 5,
    sizes: Sequence[int] = (),
    n_jobs: int = 1,
    random_state: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> BenchmarkRun:
    """Fit and predict every missing combination, and collect all.

    A result is found again when samples, response, evidence, split, settings, code and library
    versions are the same; see `estimator_fingerprint`. A model that fails does not stop the others
    and is tried again in the next run.

    Parameters
    ----------
    tasks
        Tasks with unique names.
    peers
        Name → how to build the model; see `experiments.benchmark.peers.PEERS`.
    folder
        Where results are stored, one file a fit.
    splits, folds, repeats
        See `nkpredict.evaluate.make_folds`.
    sizes
        Also fit on that many training samples.
    n_jobs
        Processes, one thread each.
    random_state
        Seed of folds and models.
    progress
        Called with (name of the task, folds done, folds in all).

    Returns
    -------
    BenchmarkRun

    Raises
    ------
    InputError
        When task names repeat, nothing is to be done, or a size is out of range.
    """
    names = [task.name for task in tasks]
    if not tasks or not peers or len(set(names)) < len(names):
        raise InputError(
            f"Found {len(names)} tasks with {len(set(names))} names and {len(peers)} models; "
            "expected one task and model at least, and every name once."
        )
    planned: list[tuple[BenchmarkTask, Fold, list[Unit]]] = []
    computed, reused, failures = 0, 0, []
    for task in tasks:
        plan = list(_plan(task, peers, Path(folder), splits, folds, repeats, sizes, random_state))
        jobs = []
        for fold, entries in plan:
            units = [unit for unit, _ in entries]
            missing = [entry for entry in entries if not entry[0].path.exists()]
            planned.append((task, fold, units))
            reused += len(units) - len(missing)
            if missing:
                jobs.append((fold, missing))
        for done, failed in enumerate(_run(task, jobs, n_jobs), start=1):
            failures += failed
            if progress is not None:
                progress(task.name, done, len(jobs))
        computed += sum(len(missing) for _, missing in jobs)
    return _collect(planned, failures, computed - len(failures), reused)


def _plan(
    task: BenchmarkTask,
    peers: Mapping[str, Peer],
    folder: Path,
    splits: Sequence[str],
    folds: int,
    repeats: int,
    sizes: Sequence[int],
    random_state: int,
) -> Iterator[tuple[Fold, list[tuple[Unit, Any]]]]:
    data = digest(
        [table_fingerprint(task.profiles), task.target.tolist(), list(map(str, task.lineage))]
    )
    for split in splits:
        entrants = list(_entrants(task, peers, split, random_state))
        for whole in make_folds(
            split,
            len(task.target),
            task.lineage,
            folds=folds,
            repeats=repeats,
            random_state=random_state,
        ):
            if len(whole.train) < MINIMUM_SAMPLES:
                continue
            for size in (ALL_SAMPLES, *sizes):
                fold = whole if size == ALL_SAMPLES else limited(whole, size, random_state)
                place = folder / file_name(task.name)
                place /= file_name(f"{split}-{fold.repeat}-{fold.number}-{size or 'all'}")
                entries = []
                for model, entrant, peer, estimator, code in entrants:
                    key = digest([data, fold.train.tolist(), fold.test.tolist(), code])
                    unit = Unit(
                        task.name,
                        split,
                        fold.repeat,
                        fold.number,
                        size,
                        model,
                        entrant,
                        peer.has_unit,
                        place / f"{file_name(entrant)}-{key[:16]}.json",
                    )
                    entries.append((unit, estimator))
                yield fold, entries


def _entrants(
    task: BenchmarkTask, peers: Mapping[str, Peer], split: str, random_state: int
) -> Iterator[tuple[str, str, Peer, Any, str]]:
    for model, peer in peers.items():
        qualities = task.evidence if peer.uses_evidence else {NO_EVIDENCE: None}
        for quality, evidence in qualities.items():
            if peer.needs_evidence and evidence is None:
                continue
            estimator = peer.build(PeerSetting(evidence, split == "lineage-held-out", random_state))
            several = peer.uses_evidence and len(task.evidence) > 1
            word = "no" if quality == NO_EVIDENCE else quality
            entrant = f"{model}, {word} evidence" if several else model
            yield model, entrant, peer, estimator, estimator_fingerprint(estimator)


def _run(
    task: BenchmarkTask, jobs: list[tuple[Fold, list[tuple[Unit, Any]]]], n_jobs: int
) -> Iterator[list[tuple[Unit, str]]]:
    data = (task.profiles, task.target, task.lineage)
    if n_jobs == 1:
        yield from (_run_fold(*data, fold, missing, LOADED_AT) for fold, missing in jobs)
        return
    from joblib import Parallel, delayed

    yield from Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        delayed(_run_fold)(*data, fold, missing, LOADED_AT) for fold, missing in jobs
    )


def _run_fold(
    profiles: pd.DataFrame,
    target: np.ndarray,
    lineage: np.ndarray,
    fold: Fold,
    missing: list[tuple[Unit, Any]],
    loaded_at: float,
) -> list[tuple[Unit, str]]:
    train, test = without_gaps(profiles.iloc[fold.train], profiles.iloc[fold.test])
    failed = []
    for unit, estimator in missing:
        started = time.perf_counter()
        try:
            with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                fitted = clone(estimator).fit(
                    train, target[fold.train], lineage=lineage[fold.train]
                )
                predicted = fitted.predict(test, lineage=lineage[fold.test])
            if predicted.shape != (len(test),) or not np.isfinite(predicted).all():
                raise ValueError(f"{len(test)} finite predictions were expected")
            if code_changed(estimator, loaded_at):
                raise RuntimeError("the code of the model was changed during the run")
        except Exception as error:
            # one model that fails must not stop the others; the tables tell
            failed.append((unit, f"{type(error).__name__}: {error}"))
            continue
        write_json(
            unit.path,
            {
                "task": unit.task,
                "split": unit.split,
                "repeat": unit.repeat,
                "fold": unit.fold,
                "size": unit.size,
                "entrant": unit.entrant,
                "samples": list(test.index.astype(str)),
                "predicted": predicted,
                "seconds": time.perf_counter() - started,
                "warnings": sorted({w.category.__name__ for w in caught}),
            },
        )
    return failed


def _collect(
    planned: list[tuple[BenchmarkTask, Fold, list[Unit]]],
    failures: list[tuple[Unit, str]],
    computed: int,
    reused: int,
) -> BenchmarkRun:
    def keys(unit: Unit) -> dict[str, Any]:
        columns = ("task", "split", "size", "repeat", "fold", "model", "entrant")
        return {column: getattr(unit, column) for column in columns}

    incomplete = {(u.task, u.split, u.size, u.entrant) for u, _ in failures}
    parts, fits = [], []
    for task, fold, units in planned:
        for unit in units:
            if (unit.task, unit.split, unit.size, unit.entrant) in incomplete:
                continue
            result = read_result(unit.path)
            assert result is not None  # noqa: S101 - every unit was found, computed or has failed
            fits.append(
                keys(unit)
                | {"seconds": result["seconds"], "warnings": ", ".join(result["warnings"])}
            )
            part = pd.DataFrame(
                {
                    "sample": task.profiles.index[fold.test],
                    "lineage": task.lineage[fold.test],
                    "observed": task.target[fold.test],
                    "predicted": result["predicted"],
                }
            )
            described: dict[str, Any] = keys(unit) | {
                "family": task.family,
                "group": task.group,
                "has_unit": unit.has_unit,
            }
            parts.append(part.assign(**described))
    if not parts:
        raise InputError(f"No fit succeeded; the first one failed with {failures[0][1]}.")
    predictions = pd.concat(parts, ignore_index=True)
    table = pd.DataFrame([keys(unit) | {"reason": reason} for unit, reason in failures])
    return BenchmarkRun(*with_averages(predictions, pd.DataFrame(fits)), table, computed, reused)


def with_averages(
    predictions: pd.DataFrame,
    fits: pd.DataFrame,
    averages: Mapping[str, Sequence[str]] = AVERAGES,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add models whose prediction is the mean of others' predictions.

    Parameters
    ----------
    predictions, fits
        See `BenchmarkRun`.
    averages
        Name → models averaged; one of which a part is missing on a task and split is not made.

    Returns
    -------
    tuple of pandas.DataFrame
        Both tables with rows added; an average takes as long as its parts together.
    """
    for name, parts in averages.items():
        added = []
        for table, value, how in ((predictions, "predicted", "mean"), (fits, "seconds", "sum")):
            chosen = table[table["entrant"].isin(parts)]
            place = chosen.groupby(["task", "split", "size"])["entrant"]
            chosen = chosen[place.transform("nunique") == len(parts)]
            keys = [c for c in table if c not in ("model", "entrant", value, "warnings")]
            mean = chosen.groupby(keys, sort=False)[value].agg(how).reset_index()
            added.append(mean.assign(model=name, entrant=name))
        predictions = pd.concat([predictions, added[0]], ignore_index=True)
        fits = pd.concat([fits, added[1].assign(warnings="")], ignore_index=True)
    return predictions, fits
