"""Trials of one study, done by several processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from nkpredict import NKSusceptibilityModel
from nkpredict.errors import InputError
from nkpredict.evaluate import SharedStorage, Tuned, help_tune, study_status, tune
from nkpredict.learn import EvidenceBoosting, EvidenceRidge

SPACE = {
    "boosting__selected_genes": {"type": "int", "low": 10, "high": 80, "log": True},
    "boosting__learning_rate": {"type": "float", "low": 0.02, "high": 0.2},
}
TRIALS = 4
WORKER = """
import sys, time
import pandas as pd
from nkpredict import NKSusceptibilityModel
from tests.evaluate.test_shared_study import SPACE, TRIALS, small_model
from nkpredict.evaluate import SharedStorage, help_tune
data = pd.read_parquet(sys.argv[2])
real = NKSusceptibilityModel.cross_predict
def slowly(self, inner):
    print("begun", flush=True)
    time.sleep(float(sys.argv[3]))
    return real(self, inner)
NKSusceptibilityModel.cross_predict = slowly
help_tune(
    small_model(), data.drop(columns="y"), data["y"].to_numpy(), space=SPACE,
    trials=TRIALS, shared=SharedStorage(sys.argv[1], "key", 2),
)
"""


def small_model() -> NKSusceptibilityModel:
    return NKSusceptibilityModel(
        learners=[EvidenceRidge(), EvidenceBoosting(trees=5, selected_genes=20, models=1)], folds=3
    )


@pytest.fixture
def storage(tmp_path: Path) -> SharedStorage:
    return SharedStorage(f"sqlite:///{tmp_path}/study.db", "key", 2)


def tuned(profiles, susceptibility, storage: SharedStorage, trials: int = TRIALS) -> Tuned:
    return tune(
        small_model(),
        profiles,
        susceptibility.to_numpy(),
        space=SPACE,
        trials=trials,
        shared=storage,
    )


def same(first: Tuned, second: Tuned) -> bool:
    """Tell whether two tunings tried the same, found the same and chose the same."""
    found = [[(t.number, t.settings, t.error) for t in one.tried] for one in (first, second)]
    return found[0] == found[1] and first.settings == second.settings


@pytest.fixture
def alone(profiles, susceptibility, tmp_path: Path) -> Tuned:
    return tuned(profiles, susceptibility, SharedStorage(f"sqlite:///{tmp_path}/alone.db"))


@pytest.mark.slow
def test_the_defaults_come_first_and_every_place_is_counted_once(
    alone, profiles, susceptibility, tmp_path: Path
) -> None:
    assert [trial.number for trial in alone.tried] == list(range(TRIALS))
    assert alone.tried[0].settings["boosting__selected_genes"] == 20
    assert len({trial.settings["boosting__learning_rate"] for trial in alone.tried}) == TRIALS
    again = tuned(profiles, susceptibility, SharedStorage(f"sqlite:///{tmp_path}/alone.db"))
    assert same(alone, again)
    (study,) = study_status(f"sqlite:///{tmp_path}/alone.db")
    assert (study.finished, study.trials, study.running, study.lost) == (TRIALS, TRIALS, 0, 0)
    assert study.best == alone.error


@pytest.mark.slow
def test_trials_of_a_process_that_was_killed_are_done_again(
    alone, profiles, susceptibility, storage, tmp_path: Path
) -> None:
    profiles.assign(y=susceptibility).to_parquet(tmp_path / "data.parquet")

    def started(seconds: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", WORKER, storage.url, str(tmp_path / "data.parquet"), seconds],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            text=True,
        )

    doomed = started("600")
    assert doomed.stdout is not None
    assert doomed.stdout.readline() == "begun\n"
    helping = started("0")
    doomed.kill()
    doomed.communicate()
    found = tuned(profiles, susceptibility, storage)
    helping.communicate(timeout=600)
    assert helping.returncode == 0
    assert same(alone, found)
    (study,) = study_status(storage.url)
    assert (study.finished, study.running) == (TRIALS, 0)
    assert study.lost >= 1


@pytest.mark.slow
def test_a_trial_that_fails_ends_its_process_and_in_the_end_the_study(
    profiles, susceptibility, storage, monkeypatch
) -> None:
    class BrokenError(Exception):
        pass

    def broken(*_: object) -> None:
        raise BrokenError

    monkeypatch.setattr(NKSusceptibilityModel, "cross_predict", broken)
    for _ in range(10):
        with pytest.raises(BrokenError):
            tuned(profiles, susceptibility, storage, trials=1)
    with pytest.raises(InputError, match=r"Trial 0 of the study 'key tuning' failed .* 10 times"):
        tuned(profiles, susceptibility, storage, trials=1)
    assert study_status(storage.url)[0].lost == 10


@pytest.mark.slow
def test_other_data_make_another_study(profiles, susceptibility, storage) -> None:
    tuned(profiles, susceptibility, storage, trials=1)
    other = SharedStorage(storage.url, "other")
    assert help_tune(
        small_model(), profiles, -susceptibility.to_numpy(), space=SPACE, trials=1, shared=other
    )
    assert {study.name for study in study_status(storage.url)} == {"key tuning", "other tuning"}


def test_a_registry_and_studies_lie_apart(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        connection.execute("CREATE TABLE registered_models (name TEXT)")
    with pytest.raises(InputError, match="holds a model registry"):
        study_status(f"sqlite:///{tmp_path}/mlflow.db")
