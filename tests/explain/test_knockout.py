from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict.errors import InputError
from nkpredict.explain import explain, knockout


@pytest.mark.parametrize(("kind", "end"), [("loss", 0), ("gain", 1)])
def test_a_linear_gene_changes_as_predicted_by_hand(study, linear, kind, end):
    model = linear(study.profiles, np.linspace(-1, 1, 100))
    found = knockout(model, study.profiles, kind=kind)
    moved, gene = study.profiles.copy(), "GENE90"
    at = list(moved.columns).index(gene)
    limit = np.minimum if kind == "loss" else np.maximum
    moved[gene] = limit(moved[gene], model.range_[end, at])
    expected = model.predict(moved) - model.predict(study.profiles)
    np.testing.assert_allclose(found.changes[gene], expected, atol=1e-9)
    # a gene that raises susceptibility sensitizes, however it was perturbed
    assert np.sign(found.effects[gene]) == 1
    assert np.sign(found.effects["ICAM1"]) == -1


def test_a_fitted_model_agrees_with_predicting_the_moved_profile(study, model):
    names = ["ICAM1", "HLA-E", "GENE5"]
    found = knockout(model, study.profiles, names)
    harmonised = model.harmonised(study.profiles)
    for gene in names:
        low = model.range_[0, list(model.feature_names_in_).index(gene)]
        moved = study.profiles.copy()
        for sample in moved.index:
            row = harmonised.loc[sample].sort_values()
            if harmonised.loc[sample, gene] > low:
                moved.loc[sample, gene] = np.interp(low, row, moved.loc[sample, row.index])
        brute = model.predict(moved) - model.predict(study.profiles)
        # the ranks of the other genes move by one place
        np.testing.assert_allclose(found.changes[gene], brute, atol=0.02)


def test_signs_and_table(study, model):
    found = knockout(model, study.profiles)
    assert found.changes.shape == study.profiles.shape
    assert found.effects["HLA-E"] < 0 < found.effects["CD58"]
    table = found.table()
    assert table["gene"][0] == "HLA-E"
    assert table["mean_change"].is_monotonic_decreasing
    assert knockout(model, study.profiles, kind="gain").effects["HLA-E"] < 0
    assert "loss of 100 genes in 80 samples" in repr(found)


def test_carried_genes_follow_their_regression_line(study, linear):
    slope = np.zeros(100)
    slope[0], slope[3] = 1.0, 2.0  # ICAM1 and its copy
    model = linear(study.profiles, slope)
    found = knockout(model, study.profiles, ["ICAM1"], carry_along=True, reference=study.profiles)
    gene, copy = study.profiles["ICAM1"], study.profiles["ICAM1-COPY"]
    step = np.minimum(gene, model.range_[0, 0]) - gene
    line = np.polyfit(gene, copy, 1)[0]
    np.testing.assert_allclose(found.changes["ICAM1"], step * (1 + 2 * line), atol=1e-9)
    assert found.provenance.carried.genes_carried_on_average == 1


def test_missing_genes_and_one_sample(study, model):
    alone = study.profiles.iloc[[0]].assign(CD58=np.nan)
    found = knockout(model, alone, carry_along=True, reference=study.profiles)
    assert np.isfinite(found.changes.to_numpy()).all()
    assert found.measured["CD58"] == 0
    assert found.provenance.not_measured == 1
    some = knockout(model, alone, ["ICAM1"])
    pd.testing.assert_series_equal(some.changes["ICAM1"], knockout(model, alone).changes["ICAM1"])


def test_errors(study, model):
    with pytest.raises(InputError, match="NOGENE"):
        knockout(model, study.profiles, ["NOGENE"])
    with pytest.raises(InputError, match="loss or gain"):
        knockout(model, study.profiles, kind="both")
    with pytest.raises(InputError, match="reference"):
        knockout(model, study.profiles, carry_along=True)


def test_what_comes_from_simulated_profiles_says_so(study, model):
    named = study.profiles.iloc[:3].set_axis(["SIM-1", "SIM-2", "SIM-3"])
    for found in (knockout(model, named), explain(model, named)):
        assert "SIMULATED" in repr(found)
