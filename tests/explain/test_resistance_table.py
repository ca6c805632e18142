from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict import NKSusceptibilityModel
from nkpredict.errors import InputError
from nkpredict.explain import driver_scores, explain, resistance_genes, resistance_table, stability
from nkpredict.vocabulary import GeneReading


def test_the_cohort_in_one_ranking(study, model):
    high = study.profiles[study.lineage == "high"]
    table = resistance_table(model, high)
    assert table["level"].unique().tolist() == ["cohort"]
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    first = table.iloc[0]
    assert (first["gene"], first["direction"], first["category"]) == (
        "HLA-E",
        "protects",
        "antigen presentation",
    )
    assert (first["evidence_reading"], first["perturbation"]) == (
        "agrees, used in training",
        "loss",
    )
    assert first["clear"]
    assert first["perturbation_change"] > 0
    assert table["cohort_percentile"].isna().all()
    assert (table["mean_contribution"] < 0).all()
    low_ligand = resistance_table(model, study.profiles, reading=GeneReading.SEPARATING)
    low_ligand = low_ligand.set_index("gene").loc["CD58"]
    assert (low_ligand["direction"], low_ligand["perturbation"]) == ("sensitizes", "gain")
    assert low_ligand["perturbation_change"] > 0
    assert low_ligand["reading"] == "separating these samples"


@pytest.mark.slow
def test_each_group_and_each_sample(study, model):
    groups = resistance_table(
        model, study.profiles, "group", study.lineage, permutations=1999, reference=study.profiles
    )
    assert groups.groupby("name")["samples"].first().to_dict() == {"high": 40, "low": 40}
    high = groups[groups["name"] == "high"].set_index("gene").loc["HLA-E"]
    assert high["rank"] == 1
    assert high["difference_from_others"] < 0
    assert high["difference_fdr"] < 0.2
    assert high["reference_percentile"] > 60
    assert high["cohort_percentile"] == pytest.approx(high["reference_percentile"])
    samples = resistance_table(model, study.profiles, "sample", top=3)
    assert samples["name"].nunique() == 80
    assert samples.groupby("name").size().max() == 3


def test_one_sample_with_missing_genes(study, model):
    alone = study.profiles.iloc[[0]].assign(**{"HLA-E": np.nan})
    for by in ("cohort", "sample"):
        table = resistance_table(model, alone, by, top=None).set_index("gene")
        if "HLA-E" in table.index:
            assert table.loc["HLA-E", "score"] == 0
            assert np.isnan(table.loc["HLA-E", "reference_percentile"])
    both = resistance_table(model, study.profiles.iloc[:2], "group", ["a", "b"], permutations=9)
    assert both["difference_fdr"].isna().all()


def test_percentiles_without_a_reference_are_near_those_with_one(study, model):
    some = study.profiles.iloc[::9]
    with_it = resistance_table(model, some, "sample", reference=study.profiles, top=None)
    without = resistance_table(model, some, "sample", top=None)
    difference = with_it["reference_percentile"] - without["reference_percentile"]
    assert difference.abs().mean() < 6


@pytest.mark.slow
def test_the_list_of_a_sample_holds_what_lowers_this_sample(study, model):
    parts = explain(model, study.profiles).contributions
    table = resistance_table(model, study.profiles, "sample", top=None)
    for name, own in table.groupby("name"):
        np.testing.assert_allclose(own["mean_contribution"], parts.loc[name, own["gene"]])
        assert (own["mean_contribution"] < 0).all()


def test_drivers_and_stability_enter_the_score(study, model):
    parts = explain(model, study.profiles).contributions
    drivers = driver_scores(study.profiles, study.target, study.evidence, steps=300)
    refits = stability(NKSusceptibilityModel(folds=2), study.profiles, study.target, resamples=2)
    single = GeneReading.SINGLE_SAMPLES
    bare = resistance_genes(parts, model.effect_, reading=single)
    with_drivers = resistance_genes(parts, model.effect_, None, drivers, reading=single)
    first = with_drivers.set_index("gene").loc["HLA-E"]
    assert with_drivers["gene"][0] in ("HLA-E", "ICAM1")
    assert first["driver_probability"] > 0.9
    assert first["driver_effect"] < 0
    assert with_drivers["score"].is_monotonic_decreasing
    lowering = -parts.clip(upper=0).mean()
    np.testing.assert_allclose(bare["score"], 0.5 * lowering[bare["gene"]])
    all_of_it = resistance_genes(parts, model.effect_, None, drivers, refits, reading=single)
    expected = with_drivers.set_index("gene")["score"]
    frequency = refits.genes.set_index("gene")["selection_frequency"]
    np.testing.assert_allclose(
        all_of_it["score"], (expected * (1 + frequency) / 2)[all_of_it["gene"]], atol=1e-15
    )
    turned = drivers.assign(effect=-drivers["effect"])
    against = resistance_genes(parts, model.effect_, None, turned, reading=single)
    # what the drivers turn the other way is not promoted, and not demoted either
    score = bare.set_index("gene")["score"]
    assert (against.set_index("gene")["score"][score.index] >= score - 1e-15).all()
    assert against.set_index("gene").loc["HLA-E", "score"] == score["HLA-E"]


def test_errors(study, model):
    with pytest.raises(InputError, match="level 'patient'"):
        resistance_table(model, study.profiles, "patient")
    with pytest.raises(InputError, match="needs groups"):
        resistance_table(model, study.profiles, "group")


def test_evidence_in_the_direction_of_the_model_raises_the_score(evidence_of):
    parts = pd.DataFrame({"A": [-0.2], "B": [-0.2], "C": [-0.21]}, index=["s"])

    evidence = evidence_of({"A": 0.8, "B": -0.8})
    table = resistance_genes(parts, np.array([-1.0, -1.0, -1.0]), evidence)
    assert table["gene"].tolist() == ["B", "C", "A"]
    np.testing.assert_allclose(table["score"], [0.18, 0.105, 0.1])


def test_too_small_groups_are_not_separated(study, model):
    with pytest.raises(InputError, match="Found 1 samples"):
        resistance_table(model, study.profiles, "sample", reading=GeneReading.SEPARATING)
