from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from nkpredict import NKSusceptibilityModel, load_bundle, read_expression, save_bundle, score
from nkpredict.errors import InputError
from nkpredict.explain import explain_scores
from nkpredict.facts import ModelFacts, ResponseFacts, TrainingFacts
from nkpredict.io import facts_of
from nkpredict.learn import fit_warnings_ignored
from nkpredict.registry import Bundle
from nkpredict.report import write_report, write_results
from nkpredict.scoring import RESULT_FILES


@pytest.fixture
def patients(genes) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    values = rng.normal(5, 2, (9, 120))
    return pd.DataFrame(values, columns=genes, index=[f"P{i}" for i in range(9)])


def test_scores_keep_the_contract(bundle: Path, patients: pd.DataFrame) -> None:
    scores = score(patients, bundle)
    table = scores.table
    assert list(table.columns) == [
        "susceptibility",
        "lower",
        "upper",
        "percentile",
        "novelty",
        "in_domain",
        "platform",
        "gene_coverage",
        "weight_coverage",
        "original_scale",
        "flags",
    ]
    assert (table["lower"] < table["susceptibility"]).all()
    assert (table["upper"] > table["susceptibility"]).all()
    assert table["percentile"].between(0, 100).all()
    assert (table["gene_coverage"] == 1).all()
    np.testing.assert_allclose(table["original_scale"], 1 - table["susceptibility"])
    assert "9 samples" in repr(scores)
    explained = explain_scores(scores)
    assert explained.table is table
    parts = explained.contributions.sum(axis=1) + explained.base_value
    np.testing.assert_allclose(parts, table["susceptibility"], atol=1e-6)


def test_a_patient_scored_alone_has_the_score_of_the_cohort(bundle, patients, tmp_path) -> None:
    cohort = score(patients, bundle)
    for name in patients.index:
        alone = score(patients.loc[[name]], bundle)
        pd.testing.assert_frame_equal(alone.table, cohort.table.loc[[name]], check_exact=True)
    patients.T.to_csv(tmp_path / "all.csv")
    patients.loc[["P4"]].T.to_csv(tmp_path / "one.csv")
    one, all_ = score(tmp_path / "one.csv", bundle), score(tmp_path / "all.csv", bundle)
    pd.testing.assert_frame_equal(one.table, all_.table.loc[["P4"]], check_exact=True)


def test_another_unit_or_platform_scale_changes_nothing(bundle, patients) -> None:
    stretched = np.exp(patients * 0.3) + 7
    pd.testing.assert_series_equal(
        score(stretched, bundle).table["susceptibility"],
        score(patients, bundle).table["susceptibility"],
        check_exact=True,
    )


def test_missing_genes_are_counted_and_told(bundle, patients, genes) -> None:
    scores = score(patients.drop(columns=genes[80:]), bundle)
    facts = scores.provenance.genes
    assert facts.missing == 40
    assert 0 < facts.weight_missing < 0.5
    assert (scores.table["flags"].str.contains("low_gene_coverage")).all()
    assert any("40 of the model's 120 genes are missing" in w for w in scores.provenance.warnings)


def test_foreign_profiles_are_out_of_domain(profiles, susceptibility) -> None:
    model = NKSusceptibilityModel().fit(profiles, susceptibility)
    foreign = profiles.set_axis(profiles.columns[::-1], axis=1)
    scores = score(foreign, model)
    assert not scores.table["in_domain"].any()
    assert (scores.table["novelty"] > model.novelty(profiles)).all()
    assert scores.table["flags"].eq("out_of_domain").all()
    assert any("60 of 60 profiles lie outside" in w for w in scores.provenance.warnings)


def test_scores_go_into_anndata(bundle, patients) -> None:
    adata = anndata.AnnData(patients)
    scores = score(adata, bundle)
    scored = scores.to_adata(adata)
    assert "nk_susceptibility" in scored.obs
    assert "nk_contributions" not in scored.obsm
    explained = explain_scores(scores).to_adata(adata)
    assert explained.obsm["nk_contributions"].shape == (9, 120)
    assert "nk_susceptibility" not in adata.obs


def test_results_are_written_whole_and_replace_only_results(bundle, patients, tmp_path) -> None:
    scores = explain_scores(score(patients, bundle))
    folder = write_results(scores, tmp_path / "out")
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        {*RESULT_FILES}
        - {"axes.csv", "figures", "viability.csv", "outcome.csv", "outcome_curves.csv"}
        - {"cells.json", "cells.parquet"}
    )
    table = pd.read_csv(folder / "scores.csv", index_col=0)
    np.testing.assert_allclose(table["susceptibility"], scores.table["susceptibility"], rtol=1e-5)
    stored = pd.read_parquet(folder / "contributions.parquet").set_index("sample")
    np.testing.assert_allclose(stored.sum(axis=1), scores.table["susceptibility"], atol=1e-9)
    write_results(scores, folder)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.txt"):
        write_results(scores, folder)
    assert (folder / "notes.txt").read_text() == "mine"


def test_simulated_profiles_mark_every_file(bundle, patients, tmp_path) -> None:
    scores = explain_scores(score(patients.rename(index=lambda name: f"SIM-{name}"), bundle))
    assert scores.simulated
    folder = write_results(scores, tmp_path / "out")
    for name in ("scores.csv", "resistance_genes.csv", "report.html"):
        assert "SIMULATED" in (folder / name).read_text()
    assert pq.read_schema(folder / "contributions.parquet").metadata[b"nkpredict"] == b"SIMULATED"
    assert '"simulated": true' in (folder / "provenance.json").read_text()


def test_hostile_sample_names_are_harmless_in_csv(bundle, patients, tmp_path) -> None:
    names = ["=cmd()", "+1", "-x", "@a", "<script>", "x" * 300, "🧬", 'a"b', "a,b"]
    folder = write_results(
        explain_scores(score(patients.set_axis(names, axis=0), bundle)), tmp_path / "out"
    )
    stored = pd.read_csv(folder / "scores.csv", index_col=0)
    assert [str(n) for n in stored.index] == ["'=cmd()", "+1", "'-x", "'@a", *names[4:]]


def test_an_array_or_foreign_genes_are_refused(bundle, patients) -> None:
    with pytest.raises(InputError, match="array without gene names"):
        score(patients.to_numpy(), bundle)
    with pytest.raises(InputError, match="Could not tell genes from samples in The DataFrame"):
        score(patients.add_prefix("x"), bundle)


def test_shap_takes_the_contributions(bundle, patients) -> None:
    pytest.importorskip("shap")
    scores = explain_scores(score(patients, bundle))
    explanation = scores.to_shap()
    np.testing.assert_allclose(
        np.sum(explanation.values, axis=1) + explanation.base_values,
        scores.table["susceptibility"],
    )
    assert explanation[0].data.shape == (120,)


def test_a_model_of_another_measurement_says_so(profiles, susceptibility) -> None:
    model = NKSusceptibilityModel().fit(profiles, susceptibility)
    response = ResponseFacts(format="simple table", target="Venetoclax", offset=1.0, slope=-1.0)
    bundle = Bundle(model, ModelFacts(name="m", training=TrainingFacts(response=response)))
    warnings = score(profiles, bundle).provenance.warnings
    assert any("trained on the column Venetoclax" in warning for warning in warnings)


def test_an_outcome_needs_columns_of_the_samples(bundle: Path, patients) -> None:
    with pytest.raises(InputError, match=r"no column 'days' and no column 'relapse' .* has none"):
        score(patients, bundle, outcome="days,relapse")


def test_lineage_of_the_samples_is_kept_beside_the_scores(bundle: Path, patients) -> None:
    lineage = pd.Series(["AML"] * 4 + ["BCL"] * 5, index=patients.index)
    scores = score(patients, bundle, lineage=lineage)
    assert scores.lineage.tolist() == lineage.tolist()
    pd.testing.assert_series_equal(
        scores.table["susceptibility"], score(patients, bundle).table["susceptibility"]
    )
    with pytest.raises(InputError, match="1 of 9 samples have no lineage"):
        score(patients, bundle, lineage=lineage.iloc[1:])


def test_more_columns_are_covariates_beside_the_lineage(bundle: Path, patients, tmp_path) -> None:
    obs = pd.DataFrame(
        {"kind": ["AML"] * 4 + ["BCL"] * 5, "age": range(9), "a, b": "x"}, index=patients.index
    )
    obs.rename_axis("sample").to_csv(tmp_path / "obs.csv")
    patients.to_csv(tmp_path / "patients.csv")
    read = {"obs": tmp_path / "obs.csv", "orientation": "samples-by-genes"}
    scores = score(tmp_path / "patients.csv", bundle, lineage="kind, age", **read)
    assert scores.lineage.tolist() == obs["kind"].tolist()
    assert list(scores.covariates) == ["age"]
    assert scores.covariates["age"].astype(int).tolist() == list(range(9))
    one = score(tmp_path / "patients.csv", bundle, lineage="a, b", **read)
    assert (one.lineage == "x").all()
    assert one.covariates is None
    with pytest.raises(InputError, match="no 'weight' among the annotations"):
        score(tmp_path / "patients.csv", bundle, lineage="kind,weight", **read)


def test_genes_lead_to_drugs_that_fit_their_direction(bundle: Path, patients) -> None:
    scores = explain_scores(score(patients, bundle))
    assert {"score", "reference_percentile", "perturbation_change"} <= set(scores.resistance_genes)
    hits = scores.targets[scores.targets["match"] == "hit"]
    expected = hits["direction"].map({"protects": "lowers", "sensitizes": "raises"})
    assert (hits["effect_on_gene"] == expected).all()
    assert len(scores.reference) == 50


def test_scores_without_an_explanation_are_not_reported_on(bundle, patients, tmp_path) -> None:
    with pytest.raises(InputError, match="explain_scores"):
        write_report(score(patients, bundle), tmp_path / "report.html")


def test_profiles_the_model_was_made_from_are_recognised(profiles, susceptibility, tmp_path):
    train, rest = profiles.iloc[:40], profiles.iloc[40:]
    with fit_warnings_ignored():
        model = NKSusceptibilityModel().fit(train, susceptibility.iloc[:40])
    loaded = load_bundle(save_bundle(model, tmp_path / "b"))
    for known in (model, loaded):
        scores = score(pd.concat([rest, train.iloc[:3]]), known)
        assert scores.provenance.own_reference == 3
        flagged = scores.table["flags"].str.contains("own_reference")
        assert scores.table.index[flagged].tolist() == list(train.index[:3])
    # under other names, in another unit, rounded and without some genes they are the same profiles
    hidden = np.exp(train / 4).round(4).drop(columns=train.columns[::30])
    hidden = hidden.set_axis([f"X{i}" for i in range(40)], axis=0)
    assert score(hidden, model).provenance.own_reference == 40
    assert score(rest, model).provenance.own_reference == 0
    said = " ".join(score(train, model).provenance.warnings)
    assert "These profiles are the model's own training samples: novelty and percentiles" in said
    assert "own training" not in " ".join(score(rest, model).provenance.warnings)


def test_a_model_without_a_trace_knows_its_file_or_nothing(profiles, susceptibility, tmp_path):
    model = NKSusceptibilityModel().fit(profiles, susceptibility)
    model.novelty_.fingerprints_ = None
    assert score(profiles, model).provenance.own_reference is None
    path = tmp_path / "cohort.csv"
    profiles.to_csv(path)
    read = facts_of(read_expression(path)).expression
    bundle = Bundle(model, ModelFacts(training=TrainingFacts(expression=read)))
    assert score(path, bundle).provenance.own_reference == 60
    report = write_report(explain_scores(score(profiles, model)), tmp_path / "r.html")
    assert "unknown: the model keeps no trace of them" in report.read_text()


def test_too_few_genes_never_give_a_number(bundle: Path, patients, genes, tmp_path) -> None:
    few = patients[genes[80:]]
    with pytest.raises(InputError, match=r"9 of 9 samples hold too little of the model .*--force"):
        score(few, bundle)
    forced = explain_scores(score(few, bundle, force=True))
    assert forced.table["flags"].str.contains("forced").all()
    assert "too little of the model" in forced.provenance.forced
    assert forced.provenance.warnings[0].startswith("FORCED")
    folder = write_results(forced, tmp_path / "out")
    for name in ("scores.csv", "resistance_genes.csv", "report.html"):
        assert "FORCED" in (folder / name).read_text()
    assert "FORCED" not in score(patients, bundle, force=True).table["flags"].sum()


def test_one_poor_sample_is_named(bundle: Path, patients, genes) -> None:
    poor = patients.copy()
    poor.loc["P3", genes[:70]] = np.nan
    with pytest.raises(InputError, match=r"1 of 9 samples hold too little of the model \(P3\)"):
        score(poor, bundle)


def test_genes_centred_across_samples_are_refused(bundle: Path, patients, tmp_path) -> None:
    centred = (patients - patients.mean()) / patients.std()
    with pytest.raises(InputError, match="centred or scaled gene by gene across the samples"):
        score(centred, bundle)
    assert score(centred, bundle, force=True).provenance.forced
    within = patients.sub(patients.mean(axis=1), axis=0).div(patients.std(axis=1), axis=0)
    pd.testing.assert_series_equal(
        score(within, bundle, force=True).table["susceptibility"],
        score(patients, bundle).table["susceptibility"],
        atol=1e-6,
    )


@pytest.mark.slow
@pytest.mark.parametrize("turned", [False, True])
def test_every_way_in_gives_the_same_scores(bundle: Path, patients, tmp_path, turned) -> None:
    frame = patients.T if turned else patients
    frame.to_csv(tmp_path / "a.csv")
    adata = anndata.AnnData(frame.astype("float32"))
    adata.write_h5ad(tmp_path / "a.h5ad")
    expected = score(patients, bundle).table
    backed = anndata.read_h5ad(tmp_path / "a.h5ad", backed="r")
    for source in (tmp_path / "a.csv", tmp_path / "a.h5ad", frame, adata, backed):
        pd.testing.assert_frame_equal(score(source, bundle).table, expected)
    backed.file.close()


def test_what_was_set_aside_and_dropped_is_told(bundle: Path, patients, tmp_path) -> None:
    table = patients.T.assign(failed=np.nan)
    table.insert(0, "width", 1200)
    table.to_csv(tmp_path / "a.csv")
    read = score(tmp_path / "a.csv", bundle).provenance.profiles
    assert read.annotation_set_aside == ("width (by its name)",)
    assert read.samples_without_value_dropped == ("failed",)
    assert [remark for remark in read.remarks() if "failed" in remark]
