"""Scores of a model with a killing curve."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from nkpredict import KillingCurveModel, NKSusceptibilityModel, save_bundle, score
from nkpredict.explain import explain_scores
from nkpredict.facts import ModelFacts
from nkpredict.io import area_under_curve
from nkpredict.learn import EvidenceBoosting, EvidenceRidge
from nkpredict.report import write_results

RATIOS = [0, 0.625, 1.25, 2.5, 5]


@pytest.fixture(scope="module")
def curve(genes) -> KillingCurveModel:
    rng = np.random.default_rng(0)
    profiles = pd.DataFrame(rng.normal(5, 2, (50, 120)), columns=genes)
    # a third of the lines grows, so that some predictions lie beyond what a curve can show
    susceptibility = 0.1 + 0.08 * (profiles.iloc[:, 0] - 5) + rng.normal(0, 0.05, 50)
    killed = np.outer(susceptibility, [0, 0.6, 0.9, 1, 1.1])
    viability = pd.DataFrame(100 * (1 - killed), columns=RATIOS)
    model = NKSusceptibilityModel(
        learners=[EvidenceRidge(), EvidenceBoosting(trees=15, models=1, selected_genes=40)], folds=3
    )
    return KillingCurveModel(model).fit(profiles, viability)


@pytest.fixture
def patients(genes) -> pd.DataFrame:
    values = np.random.default_rng(1).normal(5, 2, (20, 120))
    return pd.DataFrame(values, columns=genes, index=[f"P{i}" for i in range(20)])


def test_curves_never_rise_and_have_the_area_of_the_score(curve, patients, tmp_path: Path) -> None:
    bundle = save_bundle(curve, tmp_path / "b", ModelFacts(name="m"))
    scores = score(patients, bundle)
    viability, table = scores.viability, scores.table
    assert viability.index.equals(table.index)
    assert list(viability.columns) == RATIOS
    assert (viability[0] == 100).all()
    assert (np.diff(viability, axis=1) <= 0).all()
    area = area_under_curve(viability)["viability_auc"]
    reachable = table["susceptibility"].between(0, 0.9375)
    assert 5 < reachable.sum() < 20
    np.testing.assert_allclose(
        area[reachable], 1 - table.loc[reachable, "susceptibility"], atol=1e-6
    )
    without = scores.provenance.viability.samples_without_a_curve_of_their_area
    assert without == (~reachable).sum()
    pd.testing.assert_frame_equal(score(patients, curve).viability, viability, check_exact=True)
    alone = score(patients.loc[["P7"]], bundle)
    pd.testing.assert_frame_equal(alone.viability, viability.loc[["P7"]], check_exact=True)


def test_the_other_scores_are_those_of_the_model_alone(curve, patients) -> None:
    alone = score(patients, curve.model_)
    assert alone.viability is None
    pd.testing.assert_frame_equal(score(patients, curve).table, alone.table, check_exact=True)


def test_curves_go_into_anndata_and_files(curve, patients, tmp_path: Path) -> None:
    adata = anndata.AnnData(patients.rename(index=lambda name: f"SIM-{name}"))
    scores = score(adata, curve)
    scored = scores.to_adata(adata)
    assert list(scored.obsm["nk_viability"]) == ["0", "0.625", "1.25", "2.5", "5"]
    scored.write_h5ad(tmp_path / "scored.h5ad")
    folder = write_results(explain_scores(scores), tmp_path / "out")
    stored = pd.read_csv(folder / "viability.csv", index_col="sample")
    assert (stored.pop("note") == "SIMULATED").all()
    assert list(stored) == [f"viability_percent_ET_{ratio:g}" for ratio in RATIOS]
    np.testing.assert_allclose(stored, scores.viability, rtol=1e-5)
    assert "Predicted killing curves" in (folder / "report.html").read_text()
