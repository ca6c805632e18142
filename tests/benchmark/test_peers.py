from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from experiments.benchmark.automl import FRAMEWORKS, AutoMLError, automl_peers
from experiments.benchmark.cache import estimator_fingerprint
from experiments.benchmark.peers import AVERAGES, PEERS, PeerSetting
from nkpredict.evaluate import without_gaps
from nkpredict.evidence import GeneEvidence

WORKER = """
import argparse, json, sys
parser = argparse.ArgumentParser()
parser.add_argument("--versions", action="store_true")
for name in ("framework", "seconds", "seed", "input", "output"):
    parser.add_argument("--" + name)
options = parser.parse_args()
if options.versions:
    print(json.dumps({"FLAML": "9.9"}))
    sys.exit()
import numpy as np
arrays = np.load(options.input)
if float(options.seconds) < 1:
    sys.exit("too little time")
np.savez(options.output, predicted=np.full(len(arrays["test"]), arrays["target"].mean()))
"""


@pytest.fixture
def evidence(genes: list[str]) -> GeneEvidence:
    table = pd.DataFrame(
        {"evidence": [0.8, -0.7, 0.6], "confidence": 0.7, "n_screens": 1, "agreement": 1.0},
        index=pd.Index([genes[3], genes[40], genes[77]], name="gene"),
    ).assign(conflict=False)
    return GeneEvidence(table)


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    path = tmp_path / "worker.py"
    path.write_text(WORKER)
    return path


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize("name", PEERS)
@pytest.mark.filterwarnings("ignore::nkpredict.learn.ChanceSkillWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_peer_keeps_the_contract(
    name: str, held_out: bool, profiles, susceptibility, lineage, evidence
) -> None:
    train, test = profiles.iloc[::2], profiles.iloc[1::2]
    target, labels = susceptibility.to_numpy()[::2], lineage.to_numpy()
    peer = PEERS[name].build(PeerSetting(evidence, held_out))
    before = train.copy()
    predictions = []
    for _ in range(2):
        fitted = clone(peer).fit(train, target, lineage=labels[::2])
        predictions.append(fitted.predict(test, lineage=labels[1::2]))
    assert predictions[0].shape == (len(test),)
    assert np.isfinite(predictions[0]).all()
    np.testing.assert_array_equal(*predictions)
    pd.testing.assert_frame_equal(train, before)
    alone = fitted.predict(test.iloc[:1], lineage=labels[1:2])
    np.testing.assert_allclose(alone, predictions[0][:1], atol=1e-9)


def test_averages_are_of_known_peers() -> None:
    assert {part for parts in AVERAGES.values() for part in parts} <= set(PEERS)


def test_a_fingerprint_is_that_of_settings_and_evidence(evidence) -> None:
    def of(name: str, *arguments) -> str:
        return estimator_fingerprint(PEERS[name].build(PeerSetting(*arguments)))

    every = [of(name, evidence) for name in PEERS]
    assert len(set(every)) == len(PEERS)
    assert every == [of(name, evidence) for name in PEERS]
    assert of("nkpredict", evidence) != of("nkpredict", None)
    assert of("nkpredict", evidence) != of("nkpredict", evidence, True)
    assert of("SVR", None, False, 1) != of("SVR", None, False, 2)


def test_missing_values_are_filled_from_the_training_samples() -> None:
    train = pd.DataFrame({"A": [1.0, 3.0, np.nan], "B": [np.nan] * 3})
    test = pd.DataFrame({"A": [np.nan, 9.0], "B": [1.0, np.nan]})
    filled, other = without_gaps(train, test)
    assert filled["A"].tolist() == [1, 3, 2]
    assert other.to_numpy().tolist() == [[2, 1], [9, 0]]


def test_a_framework_runs_in_its_own_environment(worker, profiles, susceptibility) -> None:
    peers, absent = automl_peers([Path(sys.executable)], worker, 2)
    assert list(peers) == ["FLAML"]
    assert "not installed" in absent["AutoGluon"]
    target = susceptibility.to_numpy()
    peer = peers["FLAML"].build(PeerSetting())
    assert (peer.framework, peer.version, peer.seconds) == ("FLAML", "9.9", 2)
    predicted = clone(peer).fit(profiles, target, lineage=None).predict(profiles, lineage=None)
    np.testing.assert_allclose(predicted, target.mean())
    longer = automl_peers([Path(sys.executable)], worker, 3)[0]["FLAML"].build(PeerSetting())
    assert estimator_fingerprint(peer) != estimator_fingerprint(longer)


def test_a_framework_that_fails_is_told(worker, profiles, susceptibility, tmp_path) -> None:
    peer = automl_peers([Path(sys.executable)], worker, 0.5)[0]["FLAML"].build(PeerSetting())
    peer.fit(profiles, susceptibility.to_numpy(), lineage=None)
    with pytest.raises(AutoMLError, match="too little time"):
        peer.predict(profiles, lineage=None)
    peers, absent = automl_peers([tmp_path / "no-python"], worker, 1)
    assert peers == {}
    assert "could not be started" in absent["FLAML"]


def test_the_worker_tells_what_is_installed() -> None:
    import runpy

    script = Path(__file__).parents[2] / "experiments" / "benchmark" / "automl_worker.py"
    found = runpy.run_path(str(script))["installed"]()
    assert set(json.loads(json.dumps(found))) <= set(FRAMEWORKS)
