"""Another platform is told from another biology on real files; skipped where they are absent."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import spearmanr

from nkpredict import NKSusceptibilityModel, read_expression, read_panel, score
from nkpredict.learn import EvidenceRidge
from nkpredict.scoring import Scores
from nkpredict.vocabulary import Platform, VerdictLevel

pytestmark = pytest.mark.real_data
RNA_SEQ = "expression/hpa_cell_lines_log2ptpm.csv.gz"
AML = "patients/aml100_star_counts_genes_x_samples.csv.gz"
ALL = "patients/chiaretti_all_log2rma_genes_x_samples.csv.gz"
BLOOD = ["Daudi", "HEL", "HL-60", "K-562", "MOLT-4", "NB-4", "REH", "RPMI-8226", "THP-1"]
MORE_BLOOD = ["HDLM-2", "U-698"]


@pytest.fixture(scope="module")
def model(shared_data: Path) -> NKSusceptibilityModel:
    panel = read_panel(
        shared_data / "expression" / "gdsc_blood_cell_lines.csv.gz",
        shared_data / "response" / "gdsc2_auc_blood.csv",
        target="Venetoclax",
        direction="lower-is-sensitive",
    )
    learners = [EvidenceRidge()]
    return NKSusceptibilityModel(learners=learners, folds=3).fit(panel, "susceptibility")


@pytest.mark.parametrize(
    ("file", "platform"),
    [(AML, Platform.RNA_SEQ_PATIENTS), (ALL, Platform.OLD_ARRAY_PATIENTS)],
)
def test_patients_of_a_known_platform_are_no_other_biology(
    shared_data: Path, model: NKSusceptibilityModel, file: str, platform: Platform
) -> None:
    cohort = score(shared_data / file, model)
    table = cohort.table
    assert (table["platform"] == platform).all()
    assert (~table["in_domain"]).mean() <= 0.15
    assert table["flags"].str.contains("other_platform").all()
    assert cohort.verdict.level is VerdictLevel.RANKING
    profiles = read_expression(shared_data / file)
    for number in (1, 10):
        company = score(profiles[:number], model).table
        pd.testing.assert_frame_equal(company, table.iloc[:number], check_exact=True)


def test_other_tissues_are_another_biology_on_either_platform(
    shared_data: Path, model: NKSusceptibilityModel
) -> None:
    arrays = read_expression(shared_data / "expression" / "gdsc_other_cell_lines.csv.gz")[:200]
    found: Scores = score(arrays, model)
    assert (found.table["platform"] == Platform.ARRAY).all()
    assert (~found.table["in_domain"]).mean() > 0.99
    assert found.verdict.level is VerdictLevel.NOT_AT_ALL
    sequenced = score(shared_data / RNA_SEQ, model).table
    assert (sequenced["platform"] == Platform.RNA_SEQ).all()
    assert sequenced.loc[BLOOD, "in_domain"].mean() > 0.8
    tissues = ["A549", "MCF7", "HeLa", "U-87 MG", "PC-3", "A-431", "RT4", "SiHa"]
    assert not sequenced.loc[tissues, "in_domain"].any()


def test_a_line_has_the_level_of_its_array_when_it_is_sequenced(
    shared_data: Path, model: NKSusceptibilityModel
) -> None:
    arrays = read_expression(shared_data / "expression" / "gdsc_blood_cell_lines.csv.gz").to_df()
    sequenced = read_expression(shared_data / RNA_SEQ).to_df().loc[BLOOD]
    same = arrays.loc[[name.replace("-", "").upper() for name in BLOOD]]
    bare = NKSusceptibilityModel(learners=[EvidenceRidge()], folds=3)
    bare.__dict__.update(vars(model))
    bare.platforms_ = None
    first = model.predict(same)
    shift, before = (
        abs((one.predict(sequenced) - first).mean()) / first.std() for one in (model, bare)
    )
    assert shift < 0.4 < before


def test_lines_mapped_with_their_cohort_have_the_order_of_their_arrays(
    shared_data: Path, model: NKSusceptibilityModel
) -> None:
    arrays = read_expression(shared_data / "expression" / "gdsc_blood_cell_lines.csv.gz").to_df()
    cohort = read_expression(shared_data / RNA_SEQ).to_df().loc[[*BLOOD, *MORE_BLOOD]]
    same = arrays.loc[[name.replace("-", "").upper() for name in BLOOD]]
    first = model.predict(same)
    found = score(cohort, model, cohort=True)
    second = found.table.loc[BLOOD, "susceptibility"].to_numpy()
    assert spearmanr(first, second).statistic > 0.7
    assert abs((second - first).mean()) / first.std() < 0.6
    assert found.verdict.level is not VerdictLevel.ABSOLUTE
