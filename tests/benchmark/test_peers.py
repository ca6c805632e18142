from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from experiments.benchmark.automl import FRAMEWORKS, AutoMLError, automl_peers
from experiments.benchmark.cache import code_digest
from experiments.benchmark.peers import AVERAGES, PEERS, PeerSetting
from nkpredict.evaluate import SPLITS, Samples, fit_predict, make_folds
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


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", PEERS)
@pytest.mark.filterwarnings("ignore::nkpredict.learn.ChanceSkillWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_peer_keeps_the_contract(
    name: str, split: str, profiles, susceptibility, lineage, evidence
) -> None:
    samples = Samples(profiles, susceptibility.to_numpy(), lineage.to_numpy(dtype=object))
    fold = next(make_folds(split, 60, samples.lineage, folds=2))
    peer = PEERS[name].build(PeerSetting(evidence))
    before = profiles.copy()
    (fitted, one), (_, two) = (fit_predict(peer, samples, fold) for _ in range(2))
    assert one.shape == fold.test.shape
    assert np.isfinite(one).all()
    np.testing.assert_array_equal(one, two)
    pd.testing.assert_frame_equal(profiles, before)
    if name != "lineage mean":
        alone = fitted.predict(profiles.iloc[fold.test[:1]])
        np.testing.assert_allclose(alone, one[:1], atol=1e-9)


def test_averages_are_of_known_peers() -> None:
    assert {part for parts in AVERAGES.values() for part in parts} <= set(PEERS)


def test_a_hash_of_code_is_that_of_names_and_contents_of_files(tmp_path) -> None:
    for place in ("a", "b"):
        (tmp_path / place / "room").mkdir(parents=True)
        (tmp_path / place / "room" / "model.py").write_text("1")
        (tmp_path / place / "table.csv").write_text("2")

    def of(place: str) -> str:
        return code_digest([tmp_path / place / "room", tmp_path / place / "table.csv"])

    assert of("a") == of("b")
    (tmp_path / "b" / "room" / "model.py").write_text("3")
    assert of("a") != of("b")
    (tmp_path / "a" / "room" / "model.py").rename(tmp_path / "a" / "room" / "other.py")
    assert of("a") != of("b")


def test_files_that_predictions_depend_on_are_there() -> None:
    assert all(path.exists() for peer in PEERS.values() for path in peer.sources)


def test_a_framework_runs_in_its_own_environment(worker, profiles, susceptibility) -> None:
    peers, absent = automl_peers([Path(sys.executable)], worker, 2)
    assert list(peers) == ["FLAML"]
    assert "not installed" in absent["AutoGluon"]
    target = susceptibility.to_numpy()
    peer = peers["FLAML"].build(PeerSetting())
    assert (peer.framework, peer.version, peer.seconds) == ("FLAML", "9.9", 2)
    predicted = clone(peer).fit(profiles, target).predict(profiles)
    np.testing.assert_allclose(predicted, target.mean())
    longer = automl_peers([Path(sys.executable)], worker, 3)[0]["FLAML"]
    assert peers["FLAML"].settings != longer.settings


def test_a_framework_that_fails_says_why(worker, profiles, susceptibility, tmp_path) -> None:
    peer = automl_peers([Path(sys.executable)], worker, 0.5)[0]["FLAML"].build(PeerSetting())
    peer.fit(profiles, susceptibility.to_numpy())
    with pytest.raises(AutoMLError, match="too little time"):
        peer.predict(profiles)
    peers, absent = automl_peers([tmp_path / "no-python"], worker, 1)
    assert peers == {}
    assert "could not be started" in absent["FLAML"]


def test_the_worker_tells_what_is_installed() -> None:
    import runpy

    script = Path(__file__).parents[2] / "experiments" / "benchmark" / "automl_worker.py"
    found = runpy.run_path(str(script))["installed"]()
    assert set(json.loads(json.dumps(found))) <= set(FRAMEWORKS)
