"""A bundle written by an earlier nkpredict still loads and predicts the same numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from nkpredict.registry import load_bundle, save_bundle

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def bundle():
    return load_bundle(GOLDEN / "bundle-format-2")


def test_predictions_are_the_same(bundle) -> None:
    profiles = pd.read_csv(GOLDEN / "profiles.csv", index_col="sample")
    found = pd.DataFrame(
        {
            "susceptibility": bundle.model.predict(profiles),
            "novelty": bundle.model.novelty(profiles),
        },
        index=profiles.index,
    )
    curves = bundle.curve.predict_curve(profiles)
    found[[f"viability_{ratio:g}" for ratio in curves]] = curves.to_numpy()
    expected = pd.read_csv(GOLDEN / "predictions.csv", index_col="sample")
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12, atol=1e-12)


def test_what_is_known_about_it_is_typed(bundle) -> None:
    known = bundle.metadata
    assert bundle.simulated
    assert known.name == "golden-simulated"
    assert known.training.samples == 63
    assert known.training.genetics.features == 2
    assert known.training.gene_sets.used == 2
    assert known.training.screens.source.simulated
    assert known.response.replicates.replicates == 3
    assert known.curves.errors.ratio == (0.625, 1.25, 2.5, 5.0)
    assert bundle.drivers["probability"].between(0, 1).all()
    assert bundle.reference["lineage"].notna().all()


def test_saved_again_it_says_the_same(bundle, tmp_path: Path) -> None:
    save_bundle(bundle.curve, tmp_path / "b", replace(bundle.metadata, sha256=None))
    again = load_bundle(tmp_path / "b")
    assert replace(again.metadata, sha256=bundle.metadata.sha256) == bundle.metadata
    model = GOLDEN / "bundle-format-2" / "model.json"
    saved, stored = (
        json.loads(path.read_text()) for path in (tmp_path / "b" / "model.json", model)
    )
    # how many texts a learner has was not written down then
    assert [part.pop("texts") for part in saved["learners"]] == [0, 1]
    # one width for all was; intervals come from the held-out predictions
    del stored["half_width"]
    assert saved == stored


def test_every_format_that_is_written_is_kept_and_read(trained_model, tmp_path: Path) -> None:
    save_bundle(trained_model, tmp_path / "b")
    written = json.loads((tmp_path / "b" / "bundle.json").read_text())["format_version"]
    kept = {int(path.name.rpartition("-")[2]): path for path in GOLDEN.glob("bundle-format-*")}
    assert max(kept) == written
    for number in (written, *([written - 1] if written - 1 in kept else [])):
        assert load_bundle(kept[number]).metadata.name
