"""From files of own lines to a registered model of the laboratory."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nkpredict import CalibratedModel, Registry, calibrate, explain_scores, score
from nkpredict.errors import InputError
from nkpredict.facts import ModelFacts, PerformanceFacts, ResponseFacts, TrainingFacts
from nkpredict.registry import Bundle, save_bundle
from nkpredict.testing import toy_panel

pytestmark = pytest.mark.slow

PANEL = toy_panel()
TRAINED = np.arange(60) % 3 != 0
NEW = PANEL.profiles[~TRAINED]
OWN, PATIENTS = NEW.iloc[:10], NEW.iloc[10:]
KILLING = (20 + 50 * PANEL.susceptibility[OWN.index]).rename("killing")


@pytest.fixture(scope="module")
def registry(tmp_path_factory) -> Registry:
    from nkpredict import NKSusceptibilityModel

    folder = tmp_path_factory.mktemp("calibrate")
    model = NKSusceptibilityModel(evidence=PANEL.evidence).fit(
        PANEL.profiles[TRAINED], PANEL.susceptibility[TRAINED]
    )
    response = ResponseFacts(unit="killing", susceptibility="killing", offset=0.0, slope=1.0)
    metadata = ModelFacts(name="toy", training=TrainingFacts(samples=40, response=response))
    store = Registry(folder / "registry")
    store.register(save_bundle(model, folder / "bundle", metadata), "toy")
    return store


@pytest.fixture
def files(tmp_path):
    OWN.assign(killing=KILLING).rename_axis("line").to_csv(tmp_path / "lines.csv")
    OWN.rename_axis("line").to_csv(tmp_path / "expression.csv")
    (100 - KILLING).rename("alive").rename_axis("line").to_csv(tmp_path / "alive.csv")
    return tmp_path


def calibrated(registry, files, **changes):
    asked = {
        "model": "toy@champion",
        "own": files / "lines.csv",
        "target": "killing",
        "direction": "higher-is-sensitive",
        "name": "toy-lab",
        "registry": registry,
    }
    return calibrate(**(asked | changes))


def test_own_lines_make_a_version_of_its_own_with_its_lineage(registry, files) -> None:
    done = calibrated(registry, files)
    bundle = registry.load(done.registered)
    base = registry.load("toy@champion")
    assert isinstance(bundle.model, CalibratedModel)
    facts = bundle.metadata.calibration
    assert (facts.model, facts.version, facts.sha256) == ("toy", 1, base.metadata.sha256)
    assert facts.reference == "toy/1"
    assert facts.lines == tuple(OWN.index)
    assert facts.expression.file == "lines.csv"
    assert bundle.metadata.response.target == "killing"
    assert bundle.metadata.training == base.metadata.training
    assert list(done.lines.columns) == ["measured", "uncalibrated", "left_out"]
    assert "Calibrated toy/1 to killing" in repr(done)


def test_a_calibrated_model_scores_and_explains_as_any_other(registry, files) -> None:
    done = calibrated(registry, files)
    scores = explain_scores(score(PATIENTS, done.registered, registry=registry))
    table = scores.table
    assert np.isfinite(table[["lower", "upper"]]).all(axis=None)
    assert table["susceptibility"].between(-60, 160).all()
    summed = scores.contributions.sum(axis=1) + scores.base_value
    np.testing.assert_allclose(summed, table["susceptibility"])
    np.testing.assert_allclose(table["original_scale"], table["susceptibility"])
    base = score(PATIENTS, "toy", registry=registry).table
    np.testing.assert_array_equal(table["percentile"], base["percentile"])
    np.testing.assert_array_equal(table["novelty"], base["novelty"])
    assert "Calibrated to 10 own lines" in " ".join(scores.provenance.warnings)


def test_the_response_may_be_in_a_file_of_its_own_and_fall_with_the_killing(
    registry, files
) -> None:
    one = calibrated(registry, files)
    two = calibrated(
        registry,
        files,
        own=files / "expression.csv",
        response=files / "alive.csv",
        target=None,
        direction="lower-is-sensitive",
    )
    difference = two.bundle.model.predict(PATIENTS) - one.bundle.model.predict(PATIENTS)
    assert np.ptp(difference) == pytest.approx(0, abs=1e-6)
    recovered = score(PATIENTS, two.bundle).table["original_scale"]
    np.testing.assert_allclose(recovered, 100 - one.bundle.model.predict(PATIENTS), atol=1e-6)


def test_profiles_and_response_may_be_in_memory(registry, files) -> None:
    one = calibrated(registry, files)
    two = calibrated(registry, files, own=OWN, response=KILLING.iloc[::-1], target=None)
    np.testing.assert_allclose(
        two.bundle.model.predict(PATIENTS), one.bundle.model.predict(PATIENTS), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": None}, "What was measured in the lines of .* was not said"),
        ({"own": OWN, "target": None}, "expected the response as a Series"),
        ({"own": OWN, "response": KILLING.rename({"S00": "X"})}, "1 of 10 lines .* no profile"),
        (
            {"own": OWN, "response": pd.concat([KILLING, KILLING[:1]])},
            "1 of 11 lines .* stand more than once",
        ),
        ({"response": KILLING}, "a Series and the profiles are a file"),
        ({"direction": "lower-is-sensitive"}, "contradict the model"),
        ({"effector": "NK-92"}, "leave the effector out"),
        ({"name": "a/b"}, "name 'a/b' is not usable"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_calibrated_is_refused_and_nothing_registered(
    registry, files, changes, words
) -> None:
    before = registry.models()
    with pytest.raises(InputError, match=words):
        calibrated(registry, files, **changes)
    assert registry.models() == before


def test_a_calibrated_model_is_not_calibrated_again(registry, files) -> None:
    done = calibrated(registry, files)
    with pytest.raises(InputError, match=r"calibrated already; name .* \(toy/1\)"):
        calibrated(registry, files, model=done.registered)


def test_a_model_that_learned_from_simulated_data_stays_marked(registry, files) -> None:
    base = registry.load("toy@champion")
    simulated = Bundle(base.model, ModelFacts(name="toy", simulated=True))
    done = calibrated(registry, files, model=simulated)
    assert done.bundle.simulated
    assert done.sentences()[0].startswith("SIMULATED")
    assert score(PATIENTS, done.bundle).simulated


def test_errors_and_notes_of_the_model_are_not_passed_off_as_the_laboratorys(
    registry, files
) -> None:
    base = registry.load("toy@champion")
    row = PerformanceFacts(
        split="random", model="nkpredict", spearman=0.6, spearman_within_lineage=0.4, rmse=0.1
    )
    within = copy(base.model)
    within.offsets_ = pd.Series({"AML": 0.1, "MM": -0.1})
    metadata = replace(base.metadata, performance=(row,), interval_coverage={"random": 0.9})
    done = calibrated(registry, files, model=Bundle(within, metadata))
    kept = done.bundle.metadata
    assert kept.performance[0].spearman == 0.6
    assert np.isnan(kept.performance[0].rmse)
    assert kept.interval_coverage is None
    scores = score(PATIENTS, done.bundle)
    assert "without the lineages' own levels" in " ".join(scores.provenance.warnings)


def test_one_unit_is_told_by_what_is_on_record(registry, files) -> None:
    own = (0.2 + 0.6 * PANEL.susceptibility[OWN.index]).rename("killing")
    done = calibrated(registry, files, own=OWN, response=own, target=None)
    assert done.facts.gain.same_unit
    other = calibrated(registry, files, own=OWN, response=own.rename("lysis"), target=None)
    assert not other.facts.gain.same_unit


def test_published_knowledge_is_calibrated_for_the_cells_of_the_laboratory(registry, files) -> None:
    with pytest.raises(InputError, match="hold too little of the model"):
        calibrated(registry, files, model="screen-prior", effector="NK-92")
