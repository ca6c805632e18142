from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import read_expression
from nkpredict.errors import InputError
from nkpredict.evidence import (
    HIT_COLUMNS,
    GeneModule,
    check_hits,
    gene_modules,
    known_experiments,
    known_hits,
)
from nkpredict.io import approved_symbols

DOI = r"10\.\d{4,9}/\S+"
EXAMPLES = Path(__file__).parents[2] / "data" / "examples"
COHORT = EXAMPLES / "chiaretti_all.parquet"
# The export holds its values to four decimals; the Parquet file holds them as float32.
HALF_A_DECIMAL = 5e-5


@pytest.fixture
def hits() -> pd.DataFrame:
    return known_hits()


def test_hits_have_the_stated_columns_and_size(hits: pd.DataFrame):
    assert tuple(hits.columns) == HIT_COLUMNS
    assert (hits["doi"] != "").sum() >= 200
    assert hits.loc[hits["doi"] != "", "doi"].str.fullmatch(DOI).all()
    assert set(hits["gene"]) <= approved_symbols()


def test_hits_hold_allowed_values_once(hits: pd.DataFrame):
    assert set(hits["perturbation"]) <= {"loss", "gain", "unknown"}
    assert set(hits["direction"]) == {"sensitizes", "protects", "unknown"}
    key = ["gene", "study", "perturbation", "effector", "target_line"]
    assert not hits.duplicated(key).any()
    assert hits["significance"].dropna().between(0, 1).all()


def test_a_direction_is_the_sign_of_a_measured_effect(hits: pd.DataFrame):
    told = hits[hits["direction"] != "unknown"]
    assert set(told["perturbation"]) <= {"loss", "gain"}
    signed = told["effect_size"] * told["perturbation"].map({"loss": 1, "gain": -1})
    assert (signed[told["direction"] == "sensitizes"] > 0).all()
    assert (signed[told["direction"] == "protects"] < 0).all()


def test_figure_4_gives_membership_and_no_direction(hits: pd.DataFrame):
    figure = hits[hits["study"] == "Dufva 2023"]
    assert len(figure) == 70
    assert set(figure["direction"]) == {"unknown"}
    assert figure["effect_size"].isna().all()
    assert {"TMEM131L", "NCR3LG1", "HMGB1"} <= set(figure["gene"])
    assert figure["category"].value_counts()["death receptor / apoptosis"] == 15


def test_the_interferon_axis_conflicts_between_effectors(hits: pd.DataFrame):
    told = hits.set_index(["study", "gene"])["direction"]
    axis = ["IFNGR2", "JAK1", "STAT1"]
    assert set(told["Zhuang 2019"].loc[axis]) == {"protects"}
    assert set(told["Pech 2019"].loc[axis]) == {"sensitizes"}
    assert told["Zhuang 2019", "NCR3LG1"] == told["Pech 2019", "NCR3LG1"] == "sensitizes"


def test_a_drop_against_an_early_time_point_gives_no_direction(hits: pd.DataFrame):
    pech = hits[(hits["study"] == "Pech 2019") & (hits["effect_size"] < 0)].set_index("gene")
    assert pech.loc["RBBP4", "effect_size"] < -5
    assert list(pech.index[pech["direction"] != "unknown"]) == ["DCAF15"]


def test_callers_get_their_own_copy(hits: pd.DataFrame):
    hits["gene"] = "changed"
    modules = gene_modules()
    modules.clear()
    assert "changed" not in set(known_hits()["gene"])
    assert gene_modules()


def valid_row(**changes: object) -> pd.DataFrame:
    row = {
        "gene": "B2M",
        "category": "antigen presentation",
        "perturbation": "loss",
        "effector": "primary NK",
        "target_line": "K562",
        "direction": "protects",
        "effect_size": -1.0,
        "effect_unit": "log2 fold change",
        "significance": 0.01,
        "significance_kind": "two-sided p",
        "study": "made up",
        "doi": "10.1000/x1",
        "note": "",
    }
    return pd.DataFrame([row | changes])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"perturbation": "gain", "direction": "sensitizes"},
        {"perturbation": "gain", "direction": "protects", "effect_size": 1.0},
        {"direction": "unknown", "effect_size": np.nan, "effect_unit": ""},
        {"doi": ""},
    ],
)
def test_good_rows_pass(changes: dict[str, object]):
    check_hits(valid_row(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gene": "KIAA0922"}, r"no approved symbol in 1 rows \(KIAA0922\)"),
        ({"perturbation": "knockdown"}, "perturbation other than"),
        ({"direction": "activating"}, "direction other than"),
        ({"effector": " "}, "no effector"),
        ({"doi": "doi:10.1000/x1"}, "malformed DOI"),
        ({"direction": "sensitizes"}, "not the sign"),
        ({"effect_size": np.nan, "effect_unit": ""}, "not the sign"),
        ({"perturbation": "unknown"}, "not the sign"),
        ({"effect_unit": ""}, "only one of effect_size and effect_unit"),
        ({"effect_size": -np.inf}, "infinite"),
        ({"significance": 1.2}, "outside 0 to 1"),
    ],
)
def test_bad_rows_are_refused(changes: dict[str, object], message: str):
    with pytest.raises(InputError, match=message):
        check_hits(valid_row(**changes))


def test_the_same_gene_twice_in_a_study_is_refused():
    with pytest.raises(InputError, match="as another row"):
        check_hits(pd.concat([valid_row(), valid_row(note="again")], ignore_index=True))


def test_gene_modules_are_approved_and_sourced():
    modules = gene_modules()
    assert list(modules) == [
        "activating_receptor_ligands",
        "adhesion",
        "apoptosis_execution",
        "apoptosis_inhibition",
        "core_nk_response",
        "death_receptors",
        "decoy_and_survival_receptors",
        "fucosylation",
        "hla_class_i_antigen_presentation",
        "interferon_gamma_response",
        "mucins",
        "sialomucins",
    ]
    for name, module in modules.items():
        assert isinstance(module, GeneModule)
        assert module.name == name
        assert module.genes
        assert set(module.genes) <= approved_symbols()
        assert list(module.genes) == sorted(set(module.genes))
        assert module.description.endswith(".")
        assert pd.Series(module.source.split("; ")).str.fullmatch(DOI).all()


def test_no_module_mixes_genes_of_opposite_function():
    known = known_experiments()
    sides = known[known["scope"] == "general"].groupby("gene")["direction"].agg(set)
    for name, module in gene_modules().items():
        clear = [next(iter(sides[g])) for g in module.genes if len(sides.get(g, "")) == 1]
        assert len(set(clear)) <= 1, name


@pytest.mark.slow
def test_the_example_cohort_is_read_like_any_file():
    adata = read_expression(COHORT, obs=EXAMPLES / "chiaretti_all_obs.csv")
    facts = adata.uns["nkpredict"]["expression"]
    assert adata.n_obs == 128
    assert facts["orientation"] == "genes-by-samples"
    assert facts["unit"] == "log2_intensity"
    assert facts["missing_values"] == 0
    assert adata.uns["nkpredict"]["annotations"]["samples_without_annotation"] == 0
    assert adata.obs["BT"].str[0].value_counts().to_dict() == {"B": 95, "T": 33}


@pytest.mark.real_data
def test_the_example_cohort_equals_its_source(shared_data: Path):
    original = shared_data / "patients" / "chiaretti_all_log2rma_genes_x_samples.csv.gz"
    if not original.is_file():
        pytest.skip(f"{original.name} is not among the real data")
    shipped, source = read_expression(COHORT), read_expression(original)
    assert list(shipped.obs_names) == list(source.obs_names)
    assert list(shipped.var_names) == list(source.var_names)
    np.testing.assert_allclose(shipped.X, source.X, rtol=0, atol=HALF_A_DECIMAL)
