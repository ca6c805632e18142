"""Lists of genes on real cohorts; those of shared data are skipped where they are not present."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nkpredict import NKSusceptibilityModel, ScreenPrior, read_expression, read_panel, score
from nkpredict.explain import ExplainedScores, explain_scores
from nkpredict.report import gene_sentences

EXAMPLE = Path(__file__).parents[2] / "data" / "examples" / "chiaretti_all.parquet"


@pytest.fixture(scope="module")
def example() -> ExplainedScores:
    return explain_scores(score(EXAMPLE, ScreenPrior().fit(read_expression(EXAMPLE))))


def test_no_gene_raises_the_real_cohort_that_it_is_said_to_lower(example) -> None:
    assert (example.resistance_genes["mean_contribution"] < 0).all()
    lowering = example.separating_genes
    assert (lowering["mean_least_susceptible"] < lowering["mean_others"]).all()
    assert not example.resistance_genes["evidence_reading"].str.contains("agrees").any()


def test_a_reference_cohort_is_recognised(example) -> None:
    assert example.provenance.own_reference == 128
    assert any("own reference: novelty" in said for said in example.provenance.warnings)
    against, separating, rest = gene_sentences(example)
    assert "on average no gene lowers them" in against
    assert "together" in separating
    assert "tumour lines, against" in rest


def test_the_example_is_no_part_of_the_shipped_reference() -> None:
    scores = explain_scores(score(EXAMPLE, "screen-prior"))
    assert not scores.provenance.own_reference
    assert "HG-U95Av2 array, while the model learned from" in " ".join(scores.verdict.reasons)


def test_half_of_the_patients_do_not_pass_for_the_other_half() -> None:
    profiles = pd.read_parquet(EXAMPLE).set_index("gene").T.astype(float)
    model = ScreenPrior().fit(profiles.iloc[:64])
    assert model.recognised(profiles.iloc[:64]).all()
    assert not model.recognised(profiles.iloc[64:]).any()


@pytest.mark.real_data
def test_a_drug_model_of_lines_and_patients_of_another_platform(shared_data: Path) -> None:
    panel = read_panel(
        shared_data / "expression" / "gdsc_blood_cell_lines.csv.gz",
        shared_data / "response" / "gdsc2_auc_blood.csv",
        target="Venetoclax",
        direction="lower-is-sensitive",
        obs=shared_data / "expression" / "gdsc_blood_cell_lines_obs.csv",
    )
    model = NKSusceptibilityModel().fit(panel, "susceptibility")
    assert score(panel, model).provenance.own_reference == panel.n_obs
    patients = shared_data / "patients" / "aml100_star_counts_genes_x_samples.csv.gz"
    scores = explain_scores(score(patients, model))
    assert not scores.provenance.own_reference
    assert (scores.resistance_genes["mean_contribution"] < 0).all()
    assert "BCL2" in set(scores.separating_genes["gene"].head(2))  # the target of venetoclax
    assert "measured by RNA-seq, while the model learned from" in " ".join(scores.verdict.reasons)
