"""AutoML frameworks as peers, each in an environment of its own through a worker script."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin

from experiments.benchmark.peers import Peer, PeerSetting
from nkpredict.errors import NKPredictError

FRAMEWORKS = ("FLAML", "AutoGluon")

# One thread each, as every other model.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_START_SECONDS = 120.0


class AutoMLError(NKPredictError):
    """A framework stopped with an error or did not keep to its time."""


class AutoMLPeer(RegressorMixin, BaseEstimator):
    """An AutoML framework run by a script in another Python environment.

    ``fit`` keeps the training samples; ``predict`` trains and predicts in one go, because models
    of the frameworks leave their process by pickle alone. The result depends on the speed of the
    machine.

    Parameters
    ----------
    framework
        One of ``FRAMEWORKS``.
    version
        Version found in the environment.
    python
        Python of the environment.
    worker
        The script; see ``automl_worker.py``.
    seconds
        Wall-time budget for training.
    random_state
        Seed.
    """

    def __init__(
        self,
        framework: str,
        version: str,
        python: Path,
        worker: Path,
        seconds: float,
        random_state: int = 0,
    ) -> None:
        self.framework = framework
        self.version = version
        self.python = python
        self.worker = worker
        self.seconds = seconds
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Self:
        """Keep the training samples."""
        self.train_, self.target_ = np.asarray(X, dtype=np.float64), np.asarray(y)
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Train within the budget and predict.

        Raises
        ------
        AutoMLError
            When the worker fails or takes two minutes more than ten times its budget.
        """
        with tempfile.TemporaryDirectory() as folder:
            given, result = Path(folder) / "fold.npz", Path(folder) / "predicted.npz"
            test = np.asarray(X, dtype=np.float64)
            np.savez(given, train=self.train_, target=self.target_, test=test)
            _run_worker(
                self.python,
                self.worker,
                *("--framework", self.framework, "--seconds", str(self.seconds)),
                *("--seed", str(self.random_state), "--input", given, "--output", result),
                timeout=_START_SECONDS + 10 * self.seconds,
                folder=folder,
            )
            with np.load(result, allow_pickle=False) as arrays:
                predicted: np.ndarray = arrays["predicted"]
        if predicted.shape != (len(X),) or not np.isfinite(predicted).all():
            raise AutoMLError(
                f"{self.framework} returned {predicted.shape} predictions; expected {len(X)} "
                "finite numbers."
            )
        return predicted


def automl_peers(
    pythons: Sequence[Path], worker: Path, seconds: float
) -> tuple[dict[str, Peer], dict[str, str]]:
    """Find the frameworks in the environments given.

    Parameters
    ----------
    pythons
        Python of each environment; the first that has a framework is used.
    worker
        The worker script.
    seconds
        Wall-time budget of each fit.

    Returns
    -------
    peers : dict
        Name of each framework found → `Peer`.
    absent : dict
        Name of each other framework → reason.
    """
    found: dict[str, tuple[Path, str]] = {}
    faults: list[str] = []
    for python in pythons:
        try:
            versions = json.loads(_run_worker(python, worker, "--versions", timeout=60))
        except (AutoMLError, json.JSONDecodeError) as error:
            faults.append(str(error))
            continue
        for framework, version in versions.items():
            found.setdefault(framework, (python, version))
    peers = {}
    for name in FRAMEWORKS:
        if name in found:
            python, release = found[name]
            peers[name] = Peer(
                partial(_build, name, release, python, worker, seconds),
                sources=(Path(__file__), worker),
                settings={"framework": name, "version": release, "seconds": seconds},
            )
    reason = "; ".join(["not installed in any environment given with --automl-python", *faults])
    return peers, {name: reason for name in FRAMEWORKS if name not in found}


def _build(
    name: str, version: str, python: Path, worker: Path, seconds: float, setting: PeerSetting
) -> AutoMLPeer:
    return AutoMLPeer(name, version, python, worker, seconds, setting.random_state)


def _run_worker(
    python: Path, worker: Path, *arguments: Any, timeout: float, folder: str | None = None
) -> str:
    command = [str(python), str(worker.resolve()), *map(str, arguments)]
    try:
        done = subprocess.run(  # noqa: S603 - the command is the caller's own environment
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=folder,
            env=os.environ | _ONE_THREAD,
        )
    except subprocess.TimeoutExpired as error:
        raise AutoMLError(f"The AutoML worker did not end within {timeout:.0f} s.") from error
    except OSError as error:
        raise AutoMLError(f"{python} could not be started ({error.strerror}).") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise AutoMLError(f"The AutoML worker stopped with an error: {last}")
    return done.stdout
