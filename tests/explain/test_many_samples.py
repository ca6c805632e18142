"""Of many samples some are worked on at a time, with the numbers that each has by itself."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import nkpredict
from nkpredict.evidence import GeneEvidence
from nkpredict.explain import explain_scores, knockout, resistance_table
from nkpredict.io import approved_symbols
from nkpredict.learn import NKSusceptibilityModel, ScreenPrior
from nkpredict.scoring import Scores

SAMPLES = 2_150
GENES = sorted(approved_symbols())[::310][:110] + [f"RPL{n}" for n in range(3, 15)]
ROWS = np.r_[0:7, 1_020:1_030, 2_140:2_150]


def profiles(count: int, seed: int) -> pd.DataFrame:
    """Return samples × genes, some values missing."""
    rng = np.random.default_rng(seed)
    level = np.where(np.char.startswith(GENES, "RPL"), 12.0, np.linspace(0, 9, len(GENES)))
    values = np.maximum(level + rng.normal(size=(count, len(GENES))), 0).astype(np.float32)
    gaps = rng.random(values.shape) < 0.01
    gaps[:, 20:60:10] = False  # of genes that the prior rests on
    values[gaps] = np.nan
    return pd.DataFrame(values, [f"P{n:05d}" for n in range(count)], GENES)


@pytest.fixture(scope="module", params=["trained", "prior"])
def model(request: pytest.FixtureRequest) -> NKSusceptibilityModel | ScreenPrior:
    known = profiles(80, 1).fillna(2.0)
    if request.param == "prior":
        evidence = pd.DataFrame(
            {"evidence": [0.5, -0.4, 0.3, 0.6, -0.7], "confidence": 1.0, "n_screens": 1,
             "agreement": 1.0, "conflict": False},
            index=pd.Index(GENES[20:70:10], name="gene"),
        )  # fmt: skip
        return ScreenPrior(evidence=GeneEvidence(evidence)).fit(known)
    return NKSusceptibilityModel().fit(known, known.iloc[:, 20:25].sum(axis=1))


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return profiles(SAMPLES, 2)


@pytest.fixture(scope="module")
def scores(model, cohort, tmp_path_factory: pytest.TempPathFactory) -> Scores:
    path = tmp_path_factory.mktemp("many") / "cohort.h5ad"
    anndata.AnnData(cohort).write_h5ad(path)
    return nkpredict.score(path, model)


@pytest.mark.slow
def test_a_sample_has_the_numbers_that_it_has_alone(scores, model, cohort) -> None:
    alone = nkpredict.score(cohort.iloc[ROWS], model)
    pd.testing.assert_frame_equal(scores.table.iloc[ROWS], alone.table, rtol=1e-12)
    parts = explain_scores(scores).contributions.iloc[ROWS]
    expected = explain_scores(alone).contributions
    pd.testing.assert_frame_equal(parts, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.slow
def test_file_and_table_give_the_same_bytes(scores, model, cohort, tmp_path: Path) -> None:
    in_memory = nkpredict.score(cohort, model)
    explain_scores(scores).save(tmp_path / "file")
    explain_scores(in_memory).save(tmp_path / "memory")
    for kept in sorted((tmp_path / "memory").iterdir()):
        if kept.name != "provenance.json":  # which names the file
            assert kept.read_bytes() == (tmp_path / "file" / kept.name).read_bytes(), kept.name


@pytest.mark.slow
def test_genes_of_the_cohort_are_those_of_all_samples(scores, model, tmp_path: Path) -> None:
    found = explain_scores(scores)
    genes = found.resistance_genes.set_index("gene")
    assert len(genes)
    parts = found.contributions[genes.index]
    assert genes["mean_contribution"].to_numpy() == pytest.approx(parts.mean().to_numpy())
    assert genes["lowest_contribution"].to_numpy() == pytest.approx(parts.min().to_numpy())
    changes = {
        kind: knockout(model, scores.profiles, kind=kind).changes.mean()
        for kind in ("loss", "gain")
    }
    for gene, row in genes[genes["perturbation"] != ""].iterrows():
        assert row["perturbation_change"] == pytest.approx(changes[row["perturbation"]][gene])
    # in one piece, as for a list of each group
    groups = pd.Series("all", index=scores.profiles.samples)
    at_once = resistance_table(model, scores.profiles, "group", groups, top=None)
    pd.testing.assert_series_equal(
        at_once.set_index("gene")["reference_percentile"], genes["reference_percentile"]
    )
    found.save(tmp_path / "results")
    written = pq.read_table(tmp_path / "results" / "contributions.parquet").to_pandas()
    pd.testing.assert_frame_equal(
        written.set_index("sample")[list(found.contributions)],
        found.contributions,
        check_names=False,
        check_exact=True,
    )


@pytest.mark.slow
def test_a_patient_is_found_among_many(scores, model, cohort) -> None:
    sample = str(cohort.index[2_000])
    among = explain_scores(scores).sample(sample)
    alone = explain_scores(nkpredict.score(cohort.iloc[2_000:2_001], model)).sample(sample)
    pd.testing.assert_frame_equal(among.synapse, alone.synapse, rtol=1e-12)


@pytest.mark.slow
def test_a_large_cohort_can_be_mapped_as_a_whole(model, cohort) -> None:
    mapped = nkpredict.score(cohort, model, cohort=True)
    assert mapped.table["susceptibility"].notna().all()
    assert np.ptp(explain_scores(mapped).contributions.to_numpy()) > 0
