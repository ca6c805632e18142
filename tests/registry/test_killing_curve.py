"""A killing curve comes back from a bundle as it was saved."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import KillingCurveModel, NKSusceptibilityModel, load_bundle, save_bundle
from nkpredict.errors import BundleError
from nkpredict.facts import CurveErrorFacts, CurveFacts, ModelFacts, SkillFacts
from nkpredict.io import area_under_curve
from nkpredict.learn import EvidenceBoosting, EvidenceRidge

RATIOS = [0, 0.625, 1.25, 2.5, 5]
MODEL = NKSusceptibilityModel(
    learners=[EvidenceRidge(), EvidenceBoosting(trees=15, models=1, selected_genes=40)], folds=3
)
OWN = {"curve.json", "component-model.json", "component-arrays.npz", "component-trees-0.txt"}


def curve_of(genes: list[str], rates: tuple[float, ...]) -> KillingCurveModel:
    """Lines of three lineages, each of which is killed at its own rate."""
    rng = np.random.default_rng(7)
    lineage = np.repeat([0, 1, 2], 20)
    values = rng.normal(0, 1, (3, len(genes)))[lineage] + rng.normal(5, 1, (60, len(genes)))
    profiles = pd.DataFrame(values, columns=genes, index=[f"S{i:02d}" for i in range(60)])
    kill = 1 - np.exp(-np.outer(np.array(rates)[lineage], RATIOS))
    drivers = values[:, [3, 40, 77]] @ [1.0, -0.8, 0.8]
    most = 0.4 + 0.08 * (drivers - drivers.mean()) + rng.normal(0, 0.02, 60)
    most = most / (np.trapezoid(kill, RATIOS, axis=1) / 5)
    viability = pd.DataFrame(100 * (1 - most[:, None] * kill), index=profiles.index, columns=RATIOS)
    return KillingCurveModel(MODEL).fit(profiles, viability)


@pytest.fixture(scope="module")
def curve(genes) -> KillingCurveModel:
    fitted = curve_of(genes, (3.0, 0.8, 0.2))
    assert fitted.component_model_ is not None
    return fitted


@pytest.fixture
def patients(genes) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    values = rng.normal(5, 2, (30, 120))
    return pd.DataFrame(values, columns=genes).drop(columns=genes[7])


def test_a_curve_comes_back_to_the_last_bit(curve, patients, tmp_path: Path) -> None:
    save_bundle(curve, tmp_path / "b", ModelFacts(name="m"))
    bundle = load_bundle(tmp_path / "b")
    loaded = bundle.curve
    assert loaded is not None
    assert bundle.model is loaded.model_
    pd.testing.assert_frame_equal(
        loaded.predict_curve(patients), curve.predict_curve(patients), check_exact=True
    )
    assert bundle.model.predict(patients).tobytes() == curve.predict(patients).tobytes()
    assert loaded.component_skill_ == curve.component_skill_
    curves = loaded.predict_curve(patients)
    assert list(curves.columns) == RATIOS
    assert (curves[0.0] == 100).all()
    assert (np.diff(curves, axis=1) <= 0).all()
    areas = loaded.predict_area(patients)
    assert areas["reachable"].sum() > 20
    np.testing.assert_allclose(
        area_under_curve(curves)["viability_auc"][areas["reachable"]],
        1 - bundle.model.predict(patients)[areas["reachable"]],
        atol=1e-6,
    )


def test_the_files_beside_those_of_the_model(curve, tmp_path: Path) -> None:
    save_bundle(curve, tmp_path / "curve", ModelFacts(name="m"))
    save_bundle(curve.model_, tmp_path / "plain", ModelFacts(name="m"))
    save_bundle(load_bundle(tmp_path / "curve").curve, tmp_path / "again", ModelFacts(name="m"))
    plain = {path.name for path in (tmp_path / "plain").iterdir()}
    files = {path.name for path in (tmp_path / "curve").iterdir()}
    assert files == plain | OWN
    assert load_bundle(tmp_path / "plain").curve is None
    for name in plain - {"bundle.json", "card.md"}:
        own = (tmp_path / "curve" / name).read_bytes()
        assert own == (tmp_path / "plain" / name).read_bytes()
    for name in files:
        own = (tmp_path / "curve" / name).read_bytes()
        assert own == (tmp_path / "again" / name).read_bytes()


def test_a_component_that_is_not_used_is_not_stored(genes, patients, tmp_path: Path) -> None:
    same = curve_of(genes, (0.8, 0.8, 0.8))
    assert same.component_model_ is None
    save_bundle(same, tmp_path / "b")
    assert not list((tmp_path / "b").glob("component-*"))
    loaded = load_bundle(tmp_path / "b").curve
    pd.testing.assert_frame_equal(
        loaded.predict_curve(patients), same.predict_curve(patients), check_exact=True
    )


def test_the_card_names_ratios_and_errors(curve, tmp_path: Path) -> None:
    errors = CurveErrorFacts(ratio=(0.625,), samples=(60,), rmse=(11.26,), rmse_mean_curve=(14.0,))
    known = CurveFacts(
        ratios=(0.0, 0.625), errors=errors, component_used=False, component_skill=SkillFacts()
    )
    for number, curves in enumerate((None, known)):
        save_bundle(curve, tmp_path / str(number), ModelFacts(curves=curves))
    cards = [(tmp_path / str(number) / "card.md").read_text() for number in (0, 1)]
    for card in cards:
        assert "% viability at the E:T ratios 0, 0.625, 1.25, 2.5, 5." in card
    assert "| 0.625 | 60 | 11.3 | 14.0 |" in cards[1]
    assert "11.3" not in cards[0]


@pytest.mark.parametrize("name", sorted(OWN))
def test_altered_files_are_refused(curve, tmp_path: Path, name: str) -> None:
    save_bundle(curve, tmp_path / "b")
    with (tmp_path / "b" / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(BundleError, match="is not the file that was saved"):
        load_bundle(tmp_path / "b")
    (tmp_path / "b" / name).unlink()
    with pytest.raises(BundleError, match=f"lacks {name}"):
        load_bundle(tmp_path / "b")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ratios": [0, 5]}, "not that of 1 ratios"),
        ({"shape": "many"}, "do not fit"),
        ({"component_trees": 9}, r"component-trees-1\.txt"),
    ],
)
def test_parts_that_do_not_fit_are_refused(curve, tmp_path: Path, change, message) -> None:
    folder = save_bundle(curve, tmp_path / "b")
    altered = json.dumps(json.loads((folder / "curve.json").read_text()) | change)
    (folder / "curve.json").write_text(altered)
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["sha256"]["curve.json"] = hashlib.sha256(altered.encode()).hexdigest()
    (folder / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)
