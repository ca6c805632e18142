"""Fit every model of a benchmark on the same folds; what is on disk already is not fitted again."""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from experiments.benchmark.cache import code_digest, digest, file_name, read_result, table_digest
from experiments.benchmark.peers import AVERAGES, Peer, PeerSetting
from experiments.benchmark.tasks import NO_EVIDENCE, BenchmarkTask
from experiments.console import progress_bars
from nkpredict.errors import InputError
from nkpredict.evaluate import SPLITS, Fold, Samples, fit_predict, limited, make_folds
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


class Entrant(NamedTuple):
    """A model with its evidence.

    Attributes
    ----------
    name, model
        Name in the tables, and in the registry of peers.
    peer
        How it is built.
    estimator
        Not fitted.
    key
        Hash of all that its predictions depend on but the data.
    """

    name: str
    model: str
    peer: Peer
    estimator: Any
    key: str


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


def add_run_options(parser: argparse.ArgumentParser, *, out: Path, repeats: int, jobs: int) -> None:
    """Add what `run_as_asked` reads; the defaults that differ between scripts are given."""
    parser.add_argument("--out", type=Path, default=out, help="stored fits")
    parser.add_argument("--splits", nargs="+", default=list(SPLITS), choices=SPLITS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[], help="training samples")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=repeats)
    parser.add_argument("--jobs", type=int, default=jobs)


def run_as_asked(
    tasks: Sequence[BenchmarkTask], peers: Mapping[str, Peer], options: argparse.Namespace
) -> BenchmarkRun:
    """Run the benchmark as the options of `add_run_options` say, with progress bars."""
    with progress_bars() as progress:
        return run_benchmark(
            tasks,
            peers,
            folder=options.out,
            splits=options.splits,
            folds=options.folds,
            repeats=options.repeats,
            sizes=options.sizes,
            n_jobs=options.jobs,
            progress=progress,
        )


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

    A result is found again when samples, response, evidence, split, settings, files of code and
    library versions are the same. A model that fails does not stop the others and is tried again
    in the next run.

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
    code = {name: code_digest(peer.sources) for name, peer in peers.items()}
    planned: list[tuple[BenchmarkTask, Fold, list[Unit]]] = []
    computed, reused, failures = 0, 0, []
    for task in tasks:
        entrants = list(_entrants(task, peers, code, random_state))
        samples = Samples(task.profiles, task.target, task.lineage)
        data = [table_digest(task.profiles), task.target.tolist(), list(map(str, task.lineage))]
        jobs = []
        for fold, size in _folds(task, splits, folds, repeats, sizes, random_state):
            place = Path(folder) / file_name(task.name)
            place /= file_name(f"{fold.split}-{fold.repeat}-{fold.number}-{size or 'all'}")
            key = digest([data, fold.train.tolist(), fold.test.tolist()])
            units = [_unit(task.name, fold, size, entrant, place, key) for entrant in entrants]
            pairs = zip(units, entrants, strict=True)
            missing = [(unit, entrant) for unit, entrant in pairs if not unit.path.exists()]
            planned.append((task, fold, units))
            reused += len(units) - len(missing)
            if missing:
                jobs.append(delayed(_fit_all)(samples, fold, missing, code))
                computed += len(missing)
        fits = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(jobs)
        for done, failed in enumerate(fits, start=1):
            failures += failed
            if progress is not None:
                progress(task.name, done, len(jobs))
    return _collect(planned, failures, computed - len(failures), reused)


def _folds(
    task: BenchmarkTask,
    splits: Sequence[str],
    folds: int,
    repeats: int,
    sizes: Sequence[int],
    random_state: int,
) -> Iterator[tuple[Fold, int]]:
    count, seed = len(task.target), random_state
    for split in splits:
        for whole in make_folds(
            split, count, task.lineage, folds=folds, repeats=repeats, random_state=seed
        ):
            if len(whole.train) >= MINIMUM_SAMPLES:
                yield whole, ALL_SAMPLES
                yield from ((limited(whole, size, seed), size) for size in sizes)


def _entrants(
    task: BenchmarkTask, peers: Mapping[str, Peer], code: Mapping[str, str], random_state: int
) -> Iterator[Entrant]:
    for model, peer in peers.items():
        qualities = task.evidence if peer.uses_evidence else {NO_EVIDENCE: None}
        for quality, evidence in qualities.items():
            if peer.needs_evidence and evidence is None:
                continue
            several = peer.uses_evidence and len(task.evidence) > 1
            word = "no" if quality == NO_EVIDENCE else quality
            name = f"{model}, {word} evidence" if several else model
            known = None if evidence is None else table_digest(evidence.table)
            key = digest([model, known, random_state, dict(peer.settings), code[model]])
            estimator = peer.build(PeerSetting(evidence, random_state))
            yield Entrant(name, model, peer, estimator, key)


def _unit(task: str, fold: Fold, size: int, entrant: Entrant, place: Path, key: str) -> Unit:
    return Unit(
        task=task,
        split=fold.split,
        repeat=fold.repeat,
        fold=fold.number,
        size=size,
        model=entrant.model,
        entrant=entrant.name,
        has_unit=entrant.peer.has_unit,
        path=place / f"{file_name(entrant.name)}-{digest([key, entrant.key])[:16]}.json",
    )


def _fit_all(
    samples: Samples,
    fold: Fold,
    missing: Sequence[tuple[Unit, Entrant]],
    code: Mapping[str, str],
) -> list[tuple[Unit, str]]:
    """Fit, predict and store; return the fits that failed, and why."""
    failures = []
    for unit, entrant in missing:
        started = time.perf_counter()
        try:
            with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                predicted = fit_predict(entrant.estimator, samples, fold)[1]
            if predicted.shape != fold.test.shape or not np.isfinite(predicted).all():
                raise ValueError(f"{len(fold.test)} finite predictions were expected")
            if code_digest(entrant.peer.sources) != code[entrant.model]:
                # this process may have loaded other code than the name of the file says
                raise RuntimeError("the code of the model was changed during the run")
        except Exception as error:
            # one model that fails must not stop the others; the tables tell
            failures.append((unit, f"{type(error).__name__}: {error}"))
            continue
        content = asdict(unit) | {
            "samples": list(samples.profiles.index[fold.test].astype(str)),
            "predicted": predicted,
            "seconds": time.perf_counter() - started,
            "warnings": sorted({w.category.__name__ for w in caught}),
        }
        del content["path"]
        write_json(unit.path, content)
    return failures


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
