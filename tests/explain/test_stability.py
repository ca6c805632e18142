from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict import NKSusceptibilityModel
from nkpredict.errors import InputError
from nkpredict.explain import cluster_genes, cluster_overlap, stability


@pytest.fixture(scope="module")
def refits(study):
    return stability(NKSusceptibilityModel(), study.profiles, study.target, resamples=4, top=5)


def test_drivers_are_selected_again_and_again(refits):
    genes = refits.genes.set_index("gene")
    assert genes.loc[["CD58", "HLA-E"], "selection_frequency"].tolist() == [1, 1]
    assert genes.loc[["CD58", "HLA-E"], "sign_agreement"].tolist() == [1, 1]
    assert genes.loc["HLA-E", "mean_effect"] < 0 < genes.loc["CD58", "mean_effect"]
    assert (genes["sd_effect"] >= 0).all()
    assert genes["selection_frequency"].mean() <= 5 / 100 + 1e-12


def test_genes_that_move_together_are_one_cluster(refits):
    genes = refits.genes.set_index("gene")
    assert genes.loc["ICAM1", "cluster"] == genes.loc["ICAM1-COPY", "cluster"]
    joint = refits.clusters[refits.clusters["members"].str.contains("ICAM1-COPY")].iloc[0]
    assert joint["size"] == 2
    assert joint["selection_frequency"] == 1
    assert "4 refits" in repr(refits)


@pytest.mark.slow
@pytest.mark.parametrize("resampling", ["folds", "bootstrap", "seed"])
def test_processes_and_order_of_genes_change_nothing(study, resampling):
    steps = []
    one = stability(
        NKSusceptibilityModel(folds=2),
        study.profiles,
        study.target,
        study.lineage,
        resamples=2,
        resampling=resampling,
        progress=lambda stage, done, total: steps.append((done, total)),
    )
    assert steps == [(1, 2), (2, 2)]
    two = stability(
        NKSusceptibilityModel(folds=2),
        study.profiles.iloc[:, ::-1],
        study.target,
        study.lineage,
        resamples=2,
        resampling=resampling,
        n_jobs=2,
    )
    pd.testing.assert_frame_equal(one.effects, two.effects, check_exact=True)
    pd.testing.assert_frame_equal(one.clusters, two.clusters, check_exact=True)


def test_clusters_and_their_overlap(study):
    profiles = study.profiles.assign(FLAT=1.0)
    clusters = cluster_genes(profiles, ["ICAM1", "CD58", "ICAM1-COPY", "FLAT"])
    assert clusters.tolist() == [1, 2, 1, 3]
    assert cluster_genes(profiles, ["CD58"]).tolist() == [1]
    turned = profiles.assign(CD58=-profiles["ICAM1"])
    assert cluster_genes(turned, ["ICAM1", "CD58"]).tolist() == [1, 1]
    assert cluster_overlap(["ICAM1", "CD58"], ["ICAM1-COPY", "GENE3"], profiles) == 1 / 3
    assert cluster_overlap(["ICAM1"], ["ICAM1"], profiles) == 1


def test_missing_values_are_no_obstacle(study):
    profiles = study.profiles.copy()
    profiles.iloc[::7, 5:9] = np.nan
    found = stability(NKSusceptibilityModel(folds=2), profiles, study.target, resamples=2)
    assert np.isfinite(found.genes["mean_effect"]).all()


def test_errors(study):
    with pytest.raises(InputError, match="resampling 'none'"):
        stability(NKSusceptibilityModel(), study.profiles, study.target, resampling="none")
    with pytest.raises(InputError, match="needs 2"):
        stability(NKSusceptibilityModel(), study.profiles, study.target, resamples=1)
