"""Processes that tune together through a database, some of which die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from nkpredict import simulate_study, train
from nkpredict.errors import InputError
from nkpredict.evaluate import StudyStatus, study_status
from nkpredict.training import TrainingConfig, help_train
from tests.registry.servers import PASSWORD, restarting_postgresql

TRIALS = 3
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> TrainingConfig:
    folder = tmp_path_factory.mktemp("shared")
    study = simulate_study(folder / "study", n_genes=300, n_patients=8, random_state=1)
    (folder / "small.yaml").write_text(
        "name: small\nrandom_state: 0\nfolds: 3\nridge: {}\n"
        "boosting: {trees: 15, models: 1, selected_genes: 50}\n"
        "search_space:\n  boosting__selected_genes: {type: int, low: 20, high: 100}\n"
        f"evaluation: {{folds: 3, repeats: 1, trials: {TRIALS}}}\n"
    )
    return TrainingConfig(
        expression=study.expression,
        response=study.viability,
        obs=study.lines,
        name="small",
        spec=str(folder / "small.yaml"),
        run_folder=folder / "alone",
        registry=str(folder / "registry"),
        storage=f"sqlite:///{folder}/alone.db",
        heartbeat=8,
        jobs=1,
    )


@pytest.fixture(scope="module")
def alone(config: TrainingConfig) -> TrainingConfig:
    """Train in one process."""
    train(config)
    return config


def started(config: TrainingConfig, *words: str) -> subprocess.Popen[str]:
    options = {
        "expression": config.expression, "response": config.response, "obs": config.obs,
        "spec": config.spec, "name": config.name, "storage": config.storage,
        "heartbeat": config.heartbeat, "run-folder": config.run_folder,
        "registry": config.registry, "jobs": 1,
    }  # fmt: skip
    named = [text for key, value in options.items() for text in (f"--{key}", str(value))]
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("nkpredict")), "train", *named, *words],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(reached: Callable[[], bool], seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


def same_model(first: TrainingConfig, second: TrainingConfig) -> bool:
    """Tell whether two runs chose the same settings in every fold and made the same model."""
    settings = [pd.read_csv(run.folder / "settings.csv") for run in (first, second)]
    pd.testing.assert_frame_equal(*settings)
    arrays = [(run.folder / "bundle" / "arrays.npz").read_bytes() for run in (first, second)]
    return arrays[0] == arrays[1]


def all_done(found: list[StudyStatus]) -> bool:
    return len(found) >= 4 and all(s.finished == s.trials == TRIALS for s in found)


def test_one_process_finishes_alone_and_what_it_did_is_told(alone, capsys) -> None:
    found = study_status(str(alone.storage))
    assert all_done(found)
    assert {study.lost for study in found} == {0}
    assert any(study.name.endswith("all samples") for study in found)
    chosen = pd.read_csv(alone.folder / "settings.csv")
    assert len(chosen) == len(found) - 1


@pytest.mark.soak
def test_a_worker_that_was_killed_loses_no_trial(alone, tmp_path: Path) -> None:
    shared = replace(alone, storage=f"sqlite:///{tmp_path}/shared.db", run_folder=tmp_path / "run")
    doomed = started(shared, "--worker")
    until(lambda: (tmp_path / "shared.db").is_file() and is_working(str(shared.storage)))
    doomed.send_signal(signal.SIGKILL)
    doomed.communicate()
    worker, main = started(shared, "--worker"), started(shared)
    for process in (worker, main):
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said
    found = study_status(str(shared.storage))
    assert all_done(found)
    assert sum(study.lost for study in found) >= 1
    assert sum(study.running for study in found) == 0
    assert same_model(alone, shared)


def is_working(storage: str) -> bool:
    try:
        found = study_status(storage)
    except InputError:
        return False
    return any("?" not in study.workers for study in found if study.workers)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"storage": None}, "no study to take part in; expected --storage"),
        ({"trials": 0}, "Nothing is tuned"),
        ({"storage": "/no/where.db"}, "cannot be used"),
        ({"storage": f"postgresql://nk:{'s3cr3t'}@127.0.0.1:9/nk"}, "nk:.*@127.0.0.1:9/nk cannot"),
    ],
)
def test_a_worker_without_a_study_says_so(config, changes, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        help_train(replace(config, **changes))
    assert "s3cr3t" not in str(raised.value)
    assert "s3cr3t" not in repr(replace(config, **changes))


@pytest.mark.soak
def test_four_workers_lose_nothing_though_one_dies_and_the_server_restarts(
    alone, tmp_path: Path
) -> None:
    with restarting_postgresql() as (uri, restart):
        shared = replace(alone, storage=uri, run_folder=tmp_path / "run")
        workers = [started(shared, "--worker") for _ in range(4)]
        main = started(shared)
        until(lambda: is_working(uri))
        workers[0].send_signal(signal.SIGKILL)
        until(lambda: sum(study.finished for study in study_status(uri)) >= TRIALS)
        restart()
        said = [process.communicate(timeout=1200)[0] for process in (*workers, main)]
        codes = [process.returncode for process in (*workers, main)]
        assert codes == [-9, 0, 0, 0, 0], "\n".join(text[-3000:] for text in said)
        assert PASSWORD not in "".join(said)
        assert "Traceback" not in "".join(said)
        found = study_status(uri)
    assert all_done(found)
    assert sum(study.running for study in found) == 0
    assert same_model(alone, shared)
