"""The main job on real files; skipped where they are not present."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import NKSusceptibilityModel, read_expression, read_panel, score
from nkpredict.explain import explain_scores
from nkpredict.features import read_gene_sets
from nkpredict.io import facts_of

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def panel(shared_data: Path):
    return read_panel(
        shared_data / "expression" / "gdsc_blood_cell_lines.csv.gz",
        shared_data / "response" / "gdsc2_auc_blood.csv",
        target="Venetoclax",
        direction="lower-is-sensitive",
        obs=shared_data / "expression" / "gdsc_blood_cell_lines_obs.csv",
    )


@pytest.fixture(scope="module")
def model(panel) -> NKSusceptibilityModel:
    return NKSusceptibilityModel().fit(panel, "susceptibility")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "expression/gdsc_blood_cell_lines.csv.gz",
            ("samples-by-genes", "symbol", "standardised", 167),
        ),
        ("expression/hpa_cell_lines_log2ptpm.csv.gz", ("genes-by-samples", "symbol", "log2", 64)),
        (
            "patients/chiaretti_all_log2rma_genes_x_samples.csv.gz",
            ("genes-by-samples", "symbol", "log2_intensity", 128),
        ),
        (
            "patients/aml100_star_counts_genes_x_samples.csv.gz",
            ("genes-by-samples", "Ensembl id", "counts", 100),
        ),
        (
            "single_cell/malt_lymphoma_10x_umi.h5ad",
            ("samples-by-genes", "symbol", "counts", 2100),
        ),
    ],
)
def test_what_real_files_hold_is_detected(shared_data: Path, file: str, expected: tuple) -> None:
    facts = facts_of(read_expression(shared_data / file)).expression
    found = (facts.orientation, facts.identifiers, facts.unit, facts.samples)
    assert found == expected


def test_the_panel_joins_all_lines(panel) -> None:
    assert panel.n_obs == 160
    assert facts_of(panel).response.susceptibility == "1 - Venetoclax"
    assert panel.obs["lineage"].nunique() == 9
    assert facts_of(panel).panel.samples_without_response == 7


def test_the_venetoclax_model_has_skill_and_no_warning(model: NKSusceptibilityModel) -> None:
    assert model.skill_["spearman"] > 0.35
    assert "BCL2" in model.feature_names_in_[np.argsort(-np.abs(model.effect_))[:200]]


@pytest.mark.parametrize(
    "file",
    [
        "patients/chiaretti_all_log2rma_genes_x_samples.csv.gz",
        "patients/aml100_star_counts_genes_x_samples.csv.gz",
    ],
)
def test_real_patients_score_alone_as_in_their_cohort(
    shared_data: Path, model: NKSusceptibilityModel, file: str, tmp_path: Path
) -> None:
    cohort = score(shared_data / file, model)
    assert cohort.provenance.genes.missing > 0
    explained = explain_scores(cohort)
    parts = explained.contributions.sum(axis=1) + explained.base_value
    np.testing.assert_allclose(parts, cohort.table["susceptibility"], atol=1e-6)
    raw = pd.read_csv(shared_data / file, index_col=0)
    for position in (0, len(raw.columns) // 2):
        raw.iloc[:, [position]].to_csv(tmp_path / "one.csv")
        alone = score(tmp_path / "one.csv", model)
        pd.testing.assert_frame_equal(alone.table, cohort.table.iloc[[position]], check_exact=True)


def test_hallmark_pathways_are_scored_beside_the_genes(shared_data: Path, panel) -> None:
    sets = read_gene_sets(shared_data / "gene_sets" / "h.all.v6.2.symbols.gmt")
    assert len(sets) == 50
    assert len(sets["HALLMARK_APOPTOSIS"]) == 161
    model = NKSusceptibilityModel(modules=sets).fit(panel, "susceptibility")
    assert set(model.modules_) == set(sets)
    assert model.skill_["spearman"] > 0.35
    parts, base = model.contributions(panel)
    np.testing.assert_allclose(parts.sum(axis=1) + base, model.predict(panel), atol=1e-9)


def test_screen_prior_does_on_lines_what_its_card_says(shared_data: Path) -> None:
    lines = read_expression(shared_data / "expression" / "gdsc_blood_cell_lines.csv.gz")
    scores = score(lines, "screen-prior")
    table = scores.table
    assert table["weight_coverage"].mean() > 0.65
    assert table["in_domain"].mean() > 0.9
    # all but the lines of no named lineage were its reference, and it says so
    assert scores.provenance.own_reference == 159
    said = " ".join(scores.provenance.warnings)
    assert "159 of 167 profiles are of the model's own reference profiles" in said
    assert "does not order lineages as they were measured" in said
    alone = score(lines[[3]], "screen-prior").table["susceptibility"]
    assert alone.iloc[0] == table["susceptibility"].iloc[3]
    sequenced = shared_data / "patients" / "aml100_star_counts_genes_x_samples.csv.gz"
    assert score(sequenced, "screen-prior").table["weight_coverage"].min() > 0.95
