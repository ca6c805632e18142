"""All about one sample: the parts add up, the company is named, what is unknown is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import explain_scores, score
from nkpredict.drugs import ABOVE
from nkpredict.errors import InputError
from nkpredict.evidence import known_experiments, synapse_pairs

EXAMPLE = Path(__file__).parents[2] / "data" / "examples" / "chiaretti_all.parquet"


@pytest.fixture(scope="module")
def cohort(trained_model, genes):
    rng = np.random.default_rng(4)
    names = [f"P{i:02d}" for i in range(24)]
    profiles = pd.DataFrame(rng.normal(5, 2, (24, len(genes))), index=names, columns=genes)
    profiles.iloc[3, 2] = np.nan
    return profiles, explain_scores(score(profiles, trained_model))


@pytest.fixture(scope="module")
def example():
    return explain_scores(score(EXAMPLE))


@pytest.mark.slow
def test_the_axes_of_a_sample_and_the_base_value_are_its_score(cohort) -> None:
    _, scores = cohort
    patient = scores.sample("P05")
    total = patient.axes["contribution"].sum() + scores.base_value
    assert total == pytest.approx(scores.table.loc["P05", "susceptibility"], abs=1e-9)
    assert patient.axes.index[-1] == "other genes"


def test_percentiles_are_told_among_the_cohort_that_is_named(cohort) -> None:
    _, scores = cohort
    highest = scores.table["susceptibility"].idxmax()
    patient = scores.sample(highest)
    assert patient.compared_with == "the 24 samples of this cohort"
    assert patient.rank > 95
    assert "24 samples of this cohort" in repr(patient)


def test_a_small_cohort_is_compared_with_the_model_s_own_samples(cohort, trained_model) -> None:
    profiles, scores = cohort
    alone = explain_scores(score(profiles.iloc[:3], trained_model)).sample("P01")
    assert alone.compared_with == "the model's 50 training samples"
    assert alone.axes["percentile"].isna().all()
    assert alone.row["susceptibility"] == scores.table.loc["P01", "susceptibility"]


def test_another_cohort_can_be_named(cohort, trained_model) -> None:
    profiles, scores = cohort
    others = explain_scores(score(profiles.iloc[:10], trained_model))
    assert "10 samples" in scores.sample("P20", against=others).compared_with


def test_a_cohort_of_another_model_is_refused(cohort) -> None:
    profiles, scores = cohort
    others = explain_scores(score(profiles, force=True))
    with pytest.raises(InputError, match="expected one model for both"):
        scores.sample("P20", against=others)


def test_a_name_that_was_not_scored_is_refused(cohort) -> None:
    with pytest.raises(InputError, match="no sample 'P99'"):
        cohort[1].sample("P99")


def test_a_lost_gene_of_the_model_moves_the_score_against_its_effect(cohort, genes) -> None:
    lost = cohort[1].sample("P05", knockouts=genes[:2]).knockouts.set_index("gene")
    assert lost.loc[genes[0], "change"] < 0 < lost.loc[genes[1], "change"]
    assert lost["measured"].all()


def test_genes_are_the_ten_that_set_it_apart_and_say_what_was_published(cohort) -> None:
    patient = cohort[1].sample("P05")
    parts = cohort[1].contributions
    apart = parts.loc["P05"] - parts.mean()
    assert list(patient.genes["gene"]) == list(apart.abs().nlargest(10).index)
    genes = patient.genes.set_index("gene")
    np.testing.assert_allclose(genes["difference"], apart[genes.index])
    np.testing.assert_allclose(genes["contribution"], parts.loc["P05", genes.index])
    scores = cohort[1].table["susceptibility"]
    assert apart.sum() == pytest.approx(scores["P05"] - scores.mean(), abs=1e-9)
    published = set(known_experiments()["gene"])
    said = patient.genes.set_index("gene")["says"] != ""
    assert (said == said.index.isin(published)).all()


@pytest.mark.slow
def test_what_a_whole_cohort_shares_gives_nobody_a_drug(example) -> None:
    of_samples, of_cohort = example.sample_drugs, example.drugs
    first = of_cohort.loc[of_cohort["listed"] == ABOVE, "drug"].iloc[0]
    above = of_samples[(of_samples["listed"] == ABOVE) & (of_samples["rank"] <= 5)]
    assert (above["drug"] == first).sum() < len(example.table)
    lowest = example.sample_genes
    assert (lowest["difference"] < 0).all()
    shared = example.contributions.mean()
    np.testing.assert_allclose(
        lowest["difference"],
        lowest["contribution"] - shared[lowest["gene"]].to_numpy(),
        atol=1e-12,
    )
    for row in above.groupby("sample").head(1).itertuples():
        apart = example.contributions.loc[row.sample] - shared
        assert (apart[row.genes.split("; ")] < 0).all()


@pytest.mark.slow
def test_beside_another_cohort_the_drugs_go_by_that_cohort(example) -> None:
    name = str(example.table.index[0])
    lowered = example.contributions + 1
    patient = example.sample(name, against=replace(example, contributions=lowered))
    # beside samples that have more of every gene, every gene lowers this one
    assert patient.beside == "the 128 samples of chiaretti_all.parquet"
    named = {gene for genes in patient.drugs["genes"] for gene in genes.split("; ")}
    assert named - set(example.sample_genes.query("sample == @name")["gene"])


def test_alone_its_genes_are_told_against_the_average_profile(cohort, trained_model) -> None:
    alone = explain_scores(score(cohort[0].iloc[5:6], trained_model)).sample("P05")
    assert list(alone.genes["difference"]) == list(alone.genes["contribution"])
    assert not alone.shared_drugs


def test_a_lost_gene_says_where_the_sample_would_stand_then(cohort, genes) -> None:
    scores = cohort[1]
    lowest = scores.table["susceptibility"].idxmin()
    (lost,) = scores.sample(lowest, knockouts=genes[1:2]).knockouts.to_dict("records")
    after = scores.table.loc[lowest, "susceptibility"] + lost["change"]
    below = (scores.table["susceptibility"] < after).mean()
    assert f"{100 * below:.0f}" in lost["place"] or "lowest" in lost["place"]


def test_another_platform_in_the_cohort_named_is_said(cohort, trained_model) -> None:
    scores = cohort[1]
    others = explain_scores(score(cohort[0].iloc[:10], trained_model))
    platforms = others.table.assign(platform="RNA-seq, patients")
    assert not scores.sample("P20", against=others).caution
    foreign = scores.sample("P20", against=replace(others, table=platforms))
    assert "RNA-seq" in foreign.caution
    assert foreign.caution in foreign._repr_html_()


def test_drugs_that_nearly_all_samples_share_are_named(cohort) -> None:
    scores = cohort[1]
    drugs = pd.DataFrame(
        {
            "sample": np.repeat(scores.table.index, 2),
            "listed": ABOVE,
            "rank": [1, 2] * 24,
            "drug": ["for all", "for one"] + ["for all", "for others"] * 23,
            "nk_liability": "unknown",
        }
    )
    patient = replace(scores, sample_drugs=drugs).sample("P00")
    assert patient.shared_drugs == ("for all",)
    assert list(patient.drugs["drug"]) == ["for all", "for one"]


def test_a_mistyped_name_is_told_its_like(cohort) -> None:
    with pytest.raises(InputError, match="P05"):
        cohort[1].sample("p05")


def test_pairs_of_the_synapse_are_of_published_experiments() -> None:
    pairs = synapse_pairs()
    rows = known_experiments()
    assert not pairs["gene"].duplicated().any()
    assert (pairs["partner"] != "").all()
    for gene, sources in zip(pairs["gene"], pairs["sources"], strict=True):
        assert set(sources.split("; ")) <= set(rows.loc[rows["gene"] == gene, "doi"])
    kind = pairs.set_index("gene")["meeting"]
    expected = {"MICA": "activating", "HLA-E": "inhibitory", "ICAM1": "adhesion", "FAS": "death"}
    assert kind[list(expected)].to_dict() == expected
    assert pairs.set_index("gene").loc["FAS", "partner"] == "FAS ligand"


def test_genes_that_were_not_measured_have_no_percentile(cohort, genes) -> None:
    patient = cohort[1].sample("P05")
    absent = ~patient.synapse["gene"].isin(genes)
    assert patient.synapse.loc[absent, "percentile"].isna().all()
    assert set(patient.missing) == set(patient.synapse.loc[absent, "gene"])
