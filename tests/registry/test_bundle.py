from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from nkpredict import NKSusceptibilityModel, load_bundle, save_bundle
from nkpredict.errors import BundleError
from nkpredict.facts import ModelFacts


@pytest.fixture
def model(trained_model: NKSusceptibilityModel) -> NKSusceptibilityModel:
    return trained_model


@pytest.fixture
def profiles(genes) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(rng.normal(5, 2, (7, 120)), columns=genes).drop(columns=genes[7])


def test_a_bundle_predicts_the_same_bytes(model, profiles, tmp_path: Path) -> None:
    save_bundle(model, tmp_path / "bundle", ModelFacts(name="test", simulated=True))
    bundle = load_bundle(tmp_path / "bundle")
    assert bundle.simulated
    assert "SIMULATED" in repr(bundle)
    loaded = bundle.model
    assert loaded.predict(profiles).tobytes() == model.predict(profiles).tobytes()
    parts, base = loaded.contributions(profiles)
    expected, expected_base = model.contributions(profiles)
    pd.testing.assert_frame_equal(parts, expected, check_exact=True)
    assert base == expected_base
    np.testing.assert_array_equal(loaded.novelty(profiles), model.novelty(profiles))
    np.testing.assert_array_equal(loaded.effect_, model.effect_)
    assert loaded.skill_ == model.skill_
    assert loaded.predict_interval(profiles).tobytes() == model.predict_interval(profiles).tobytes()
    np.testing.assert_array_equal(
        loaded.evidence_.for_genes(list(model.feature_names_in_)),
        model.evidence_.for_genes(list(model.feature_names_in_)),
    )


def test_the_same_model_gives_the_same_files(model, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_bundle(model, tmp_path / name, ModelFacts(name="test"))
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert "bundle.json" in files
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_saving_a_loaded_model_again_changes_nothing(model, tmp_path: Path) -> None:
    save_bundle(model, tmp_path / "a", ModelFacts(name="test"))
    save_bundle(load_bundle(tmp_path / "a").model, tmp_path / "b", ModelFacts(name="test"))
    assert (tmp_path / "a" / "arrays.npz").read_bytes() == (
        tmp_path / "b" / "arrays.npz"
    ).read_bytes()


@pytest.mark.parametrize("name", ["arrays.npz", "model.json", "trees-0.txt", "card.md"])
def test_altered_files_are_refused(model, tmp_path: Path, name: str) -> None:
    save_bundle(model, tmp_path / "b")
    with (tmp_path / "b" / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(BundleError, match="is not the file that was saved"):
        load_bundle(tmp_path / "b")


def test_incomplete_and_foreign_folders_are_refused(model, tmp_path: Path) -> None:
    save_bundle(model, tmp_path / "b")
    with pytest.raises(BundleError, match="no model bundle"):
        load_bundle(tmp_path)
    manifest = json.loads((tmp_path / "b" / "bundle.json").read_text())
    (tmp_path / "b" / "trees-1.txt").unlink()
    with pytest.raises(BundleError, match=r"lacks trees-1\.txt"):
        load_bundle(tmp_path / "b")
    for change, message in (
        ({"format_version": 99}, "Update nkpredict"),
        ({"format": "other"}, "does not describe a model bundle"),
        ({"sha256": {}}, "which its bundle.json does not list"),
    ):
        (tmp_path / "b" / "bundle.json").write_text(json.dumps(manifest | change))
        with pytest.raises(BundleError, match=message):
            load_bundle(tmp_path / "b")
    (tmp_path / "b" / "bundle.json").write_text("{")
    with pytest.raises(BundleError, match="is damaged"):
        load_bundle(tmp_path / "b")


def test_a_path_in_the_manifest_cannot_leave_the_folder(model, tmp_path: Path) -> None:
    save_bundle(model, tmp_path / "b")
    path = tmp_path / "b" / "bundle.json"
    manifest = json.loads(path.read_text())
    manifest["sha256"]["../outside.txt"] = "0" * 64
    (tmp_path / "outside.txt").write_text("secret")
    path.write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="does not describe a model bundle"):
        load_bundle(tmp_path / "b")


@pytest.mark.slow
def test_a_loaded_model_can_be_fitted_again_with_its_own_recipe(model, genes, tmp_path) -> None:
    save_bundle(model, tmp_path / "b")
    loaded = load_bundle(tmp_path / "b").model
    rng = np.random.default_rng(2)
    fresh = pd.DataFrame(rng.normal(5, 2, (40, 120)), columns=genes)
    response = fresh.iloc[:, 3] + rng.normal(0, 0.5, 40)
    np.testing.assert_array_equal(
        clone(loaded).fit(fresh, response).predict(fresh),
        clone(model).fit(fresh, response).predict(fresh),
    )
