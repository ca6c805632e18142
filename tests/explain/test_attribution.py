from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict.errors import InputError
from nkpredict.explain import explain, interactions


def test_parts_add_up_in_every_view(study, model):
    explanation = explain(model, study.profiles, study.lineage)
    assert explanation.additivity_error < 1e-6
    groups = explanation.per_group().set_index("group")
    means = groups.groupby("group")["mean"].sum() + explanation.base_value
    expected = explanation.predicted.groupby(study.lineage).mean()
    np.testing.assert_allclose(means, expected, atol=1e-9)
    one = explanation.per_sample("S00")
    assert one["contribution"].sum() + explanation.base_value == pytest.approx(
        explanation.predicted["S00"]
    )
    cohorts = explanation.per_group(["first"] * 30 + ["second"] * 50)
    assert cohorts.groupby("group")["samples"].first().tolist() == [30, 50]
    top = explanation.per_gene()
    assert set(top["gene"][:4]) >= {"CD58", "HLA-E"}
    assert (top["mean_abs"] >= top["mean"].abs() - 1e-12).all()


def test_a_contrast_adds_up_and_finds_what_differs(study, model):
    explanation = explain(model, study.profiles, study.lineage)
    table = explanation.contrast("high", "low", permutations=1999)
    gap = explanation.predicted[study.lineage == "high"].mean()
    gap -= explanation.predicted[study.lineage == "low"].mean()
    assert table["difference"].sum() == pytest.approx(gap)
    first = table.iloc[0]
    assert first["gene"] == "HLA-E"
    assert first["difference"] < 0
    assert first["p"] == pytest.approx(1 / 2000)
    assert first["fdr"] < 0.1
    turned = explanation.contrast(study.lineage.index[40:], permutations=99)
    assert turned["difference"].sum() == pytest.approx(-gap)
    pd.testing.assert_frame_equal(table, explanation.contrast("high", "low", permutations=1999))


def test_p_values_are_uniform_without_a_difference(study, model):
    explanation = explain(model, study.profiles)
    table = explanation.contrast(study.profiles.index[::2], permutations=199)
    acting = table[table["difference"] != 0]
    assert (acting["p"] < 0.05).mean() < 0.2
    assert acting["fdr"].min() > 0.01


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        (("middle", None), "no group 'middle'"),
        ((["S00"], None), "needs 2"),
        ((["S00", "S01"], ["S01", "S02"]), "in both groups"),
        ((["S00", "X"], None), "not explained"),
    ],
)
def test_groups_that_cannot_be_compared_are_named(study, model, groups, sentence):
    with pytest.raises(InputError, match=sentence):
        explain(model, study.profiles, study.lineage).contrast(*groups)


def test_labels_and_samples_must_be_known(study, model):
    explanation = explain(model, study.profiles)
    with pytest.raises(InputError, match="no groups"):
        explanation.per_group()
    with pytest.raises(InputError, match="no sample 'X'"):
        explanation.per_sample("X")


def test_one_sample_and_missing_genes_are_explained(study, model):
    alone = study.profiles.iloc[[0]].drop(columns="HLA-E").assign(CD58=np.nan)
    explanation = explain(model, alone)
    assert explanation.additivity_error < 1e-6
    measured = explanation.per_gene().set_index("gene")["measured"]
    assert measured[["HLA-E", "CD58", "ICAM1"]].tolist() == [0, 0, 1]
    assert "1 samples" in repr(explanation)


@pytest.mark.slow
def test_shap_gets_the_same_numbers(study, model):
    pytest.importorskip("shap")
    explanation = explain(model, study.profiles.iloc[:5])
    for_shap = explanation.to_shap()
    parts = for_shap.values
    np.testing.assert_array_equal(parts, explanation.contributions)
    np.testing.assert_allclose(parts.sum(axis=1) + for_shap.base_values, explanation.predicted)
    assert for_shap.feature_names == list(model.feature_names_in_)


def test_interactions_are_the_non_additive_part(study, linear):
    slope = np.linspace(-1, 1, 100)
    few = study.profiles.iloc[:6]
    names = list(study.profiles.columns[:3])
    table = interactions(linear(study.profiles, slope), few, names)
    assert len(table) == 3
    assert table["mean_abs"].max() < 1e-9
    product = linear(study.profiles, slope, product=0.5)
    table = interactions(product, few, names)
    low, high = product.range_
    expected = 0.5 * (high[0] - low[0]) * (high[1] - low[1])
    assert {table["gene_1"][0], table["gene_2"][0]} == set(names[:2])
    assert table["interaction"][0] == pytest.approx(expected)
    assert table["mean_abs"][1:].max() < 1e-9


def test_interactions_of_a_fitted_model_and_their_errors(study, model):
    table = interactions(model, study.profiles.iloc[:4], top=3)
    assert len(table) == 3
    assert np.isfinite(table["interaction"]).all()
    with pytest.raises(InputError, match="not in the model"):
        interactions(model, study.profiles, ["CD58", "NOGENE"])
    with pytest.raises(InputError, match="two genes"):
        interactions(model, study.profiles, ["CD58"])
