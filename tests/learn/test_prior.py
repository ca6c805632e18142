from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from nkpredict import GeneEvidence, ScreenPrior, load_bundle, score
from nkpredict.io import file_sha256
from nkpredict.learn._prior import with_modules
from nkpredict.shipped import shipped_path

EXAMPLE = Path(__file__).parents[2] / "data" / "examples" / "chiaretti_all.parquet"


@pytest.fixture(scope="module")
def shipped() -> ScreenPrior:
    return load_bundle(shipped_path("models", "screen-prior", "bundle")).model


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    return pd.read_parquet(EXAMPLE).set_index("gene").T.astype(float)


def test_modules_lend_half_of_their_mean() -> None:
    spread = with_modules(pd.Series({"B2M": -1.0, "TAP2": -1.0}))
    assert spread["TAP1"] == -0.5
    assert "ULBP1" not in spread


def test_a_sample_scores_alone_as_in_its_cohort(shipped: ScreenPrior, patients) -> None:
    together = shipped.predict(patients)
    assert shipped.predict(patients.iloc[[7]])[0] == together[7]
    parts, base = shipped.contributions(patients)
    np.testing.assert_allclose(parts.sum(axis=1) + base, together, atol=1e-12)
    assert abs(np.median(together)) < 0.05


def test_half_of_the_genes_keep_the_ranking_and_cost_coverage(
    shipped: ScreenPrior, patients
) -> None:
    rng = np.random.default_rng(0)
    half = patients[rng.permutation(patients.columns)[: patients.shape[1] // 2]]
    assert spearmanr(shipped.predict(patients), shipped.predict(half)).statistic > 0.85
    full, left = (shipped.weight_coverage(p).mean() for p in (patients, half))
    assert 0.3 * full < left < 0.7 * full


def test_direction_of_evidence_is_direction_of_score() -> None:
    rng = np.random.default_rng(1)
    genes = [f"G{i}" for i in range(50)]
    reference = pd.DataFrame(rng.normal(5, 1, (40, 50)), columns=genes)
    table = pd.DataFrame(
        {"evidence": [1.0, -1.0], "confidence": 1.0, "n_screens": 1, "agreement": 1.0,
         "conflict": False},
        index=["G0", "G1"],
    )  # fmt: skip
    model = ScreenPrior(GeneEvidence(table), modules=False).fit(reference)
    effect = pd.Series(model.effect_, index=model.feature_names_in_)
    assert effect["G0"] > 0 > effect["G1"]
    raised = reference.copy()
    raised["G0"] += 2
    assert (model.predict(raised) > model.predict(reference)).mean() > 0.9
    low, high = model.range_
    change = model.substituted(reference, high) - model.substituted(reference, low)
    assert (change[:, 0] > 0).all()
    assert (change[:, 1] < 0).all()


def test_the_shipped_bundle_is_built_from_what_ships(shipped: ScreenPrior, patients) -> None:
    bundle = load_bundle(shipped_path("models", "screen-prior", "bundle"))
    assert bundle.metadata.reference.sha256 == file_sha256(EXAMPLE)
    rebuilt = ScreenPrior().fit(patients)
    np.testing.assert_allclose(rebuilt.predict(patients), shipped.predict(patients), atol=1e-9)


def test_scores_say_that_they_are_knowledge_only(patients, tmp_path) -> None:
    scores = score(patients.iloc[:5], registry=tmp_path)
    assert scores.provenance.model.name == "screen-prior"
    assert (scores.table["flags"].str.contains("knowledge_only")).all()
    assert np.isinf(scores.table["upper"]).all()
    assert "trained on no measured response" in scores.provenance.warnings[0]
