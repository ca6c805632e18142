"""A bundle written by an earlier nkpredict still loads and predicts the same numbers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nkpredict.registry import load_bundle

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
