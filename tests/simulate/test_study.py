import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict.errors import InputError
from nkpredict.io import approve_gene_names
from nkpredict.simulate import SimulatedStudy, simulate_study

RATIOS = {
    "D1_CTRL": 0.0,
    "D1_NK_0.625": 0.625,
    "D1_NK_1.25": 1.25,
    "D1_NK_2.5": 2.5,
    "D1_NK_5": 5.0,
}
GAIN = {"SIM-MM1S_GOF", "SIM-KMS11_GOF", "SIM-KMS11_KHYG1_GOF", "SIM-LP1_KHYG1_GOF"}
LOSS = {
    "SIM-K562",
    "SIM-MOLM14",
    "SIM-SUDHL4",
    "SIM-NALM6",
    "SIM-MM1S",
    "SIM-LP1",
    "SIM-KMS11",
    "SIM-KMS11_KHYG1",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> SimulatedStudy:
    return simulate_study(tmp_path_factory.mktemp("study"), n_genes=300, n_patients=8)


@pytest.fixture(scope="module")
def truth(study: SimulatedStudy) -> dict:
    return json.loads(study.truth.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def screens(study: SimulatedStudy) -> pd.DataFrame:
    return pd.read_csv(study.screens)


def contents(study: SimulatedStudy) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in study.folder.iterdir()}


def header(path: Path) -> str:
    return path.read_text(encoding="utf-8").splitlines()[0]


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(
    study: SimulatedStudy, tmp_path: Path
) -> None:
    again = simulate_study(tmp_path / "again", n_genes=300, n_patients=8)
    other = simulate_study(tmp_path / "other", n_genes=300, n_patients=8, random_state=1)
    assert contents(again) == contents(study)
    assert contents(other)[study.expression.name] != contents(study)[study.expression.name]


def test_patients_do_not_change_the_cell_lines(study: SimulatedStudy, tmp_path: Path) -> None:
    more = contents(simulate_study(tmp_path / "more", n_genes=300, n_patients=9))
    changed = {name for name, content in contents(study).items() if content != more[name]}
    assert changed == {study.patients.name, study.truth.name}


def test_paths_are_the_files_in_the_folder(study: SimulatedStudy) -> None:
    paths = {getattr(study, field.name) for field in fields(study)} - {study.folder}
    assert paths == set(study.folder.iterdir())


def test_every_file_and_sample_is_marked_as_simulated(
    study: SimulatedStudy, truth: dict, screens: pd.DataFrame
) -> None:
    assert all(path.name.startswith("SIMULATED_") for path in study.folder.iterdir())
    expression = pd.read_csv(study.expression, index_col=0)
    lines = pd.read_csv(study.lines)
    replicates = pd.read_csv(study.replicates, sep="\t")
    samples = [
        *expression.index,
        *lines["ModelID"],
        *lines["StrippedCellLineName"],
        *lines["CCLEName"],
        *replicates.columns[2:],
        *screens["cell_line"].unique(),
        *pd.read_csv(study.patients, sep="\t", index_col=0).columns,
        *truth["lines"],
        *truth["patients"],
        *truth["screens"],
    ]
    assert all(sample.startswith("SIM-") for sample in samples)
    for path in (study.viability, study.viability_auc):
        table = pd.read_csv(path, sep="\t")
        assert table["cell_line"].str.startswith("SIM-").all()
        assert table["DepMap_ID"].str.startswith("SIM-ACH-").all()
        assert (table["note"] == "SIMULATED").all()
    assert truth["simulated"] is True
    assert "may be used for patients" in truth["warning"]


def test_headers_are_those_of_the_real_files(study: SimulatedStudy) -> None:
    first = "cell_line\tCondition\tpctviability\tDepMap_ID\tSubtype"
    assert header(study.viability) == f"{first}\tnote"
    assert header(study.viability_auc) == f"{first}\tauc\tauc_norm\tnote"
    assert header(study.screens) == "Gene,lfc,p,FDR,cell_line,lfc_z"
    assert header(study.lines) == (
        "ModelID,StrippedCellLineName,CCLEName,OncotreeLineage,lineage,note"
    )
    assert header(study.replicates).startswith(
        "Condition\tBiological_replicate\tSIM-AML-01_HAEMATOPOIETIC_AND_LYMPHOID_TISSUE\t"
    )
    labels = header(study.expression).split(",")
    assert labels[0] == ""
    assert all(re.fullmatch(r"\S+ \(9\d{8}\)", label) for label in labels[1:])
    assert header(study.patients).startswith("gene\tSIM-PATIENT-01\tSIM-PATIENT-02\t")


def test_genes_are_approved_symbols(study: SimulatedStudy) -> None:
    names = approve_gene_names(header(study.expression).split(",")[1:])
    assert names.kind == "symbol (Entrez id)"
    assert not names.renamed
    assert not names.dates
    assert not names.unknown
    assert len(set(names.approved)) == 300


def test_sixty_three_lines_of_the_study_lineages(study: SimulatedStudy) -> None:
    lines = pd.read_csv(study.lines)
    assert lines["lineage"].value_counts().to_dict() == {
        "AML": 14,
        "BCL": 14,
        "B-ALL": 9,
        "T-ALL": 8,
        "MM": 8,
        "TCL": 6,
        "CML": 4,
    }
    assert lines["StrippedCellLineName"].is_unique
    viability = pd.read_csv(study.viability, sep="\t")
    assert set(viability["cell_line"]) == set(lines["StrippedCellLineName"])


def test_expression_is_log2_tpm_of_a_share_of_a_million(study: SimulatedStudy) -> None:
    expression = pd.read_csv(study.expression, index_col=0)
    assert expression.shape == (63, 300)
    assert (expression >= 0).all(axis=None)
    totals = (np.exp2(expression) - 1).sum(axis=1)
    np.testing.assert_allclose(totals, 1e6 * 300 / 19_200, rtol=1e-3)


def test_long_viability_is_the_mean_over_the_replicates(study: SimulatedStudy) -> None:
    replicates = pd.read_csv(study.replicates, sep="\t")
    assert replicates["Condition"].tolist() == [c for c in RATIOS for _ in range(3)]
    assert replicates["Biological_replicate"].tolist() == [1, 2, 3] * 5
    wide = replicates.drop(columns="Biological_replicate").groupby("Condition").mean()
    wide.columns = wide.columns.str.removesuffix("_HAEMATOPOIETIC_AND_LYMPHOID_TISSUE")
    long = pd.read_csv(study.viability, sep="\t").pivot_table(
        index="Condition", columns="cell_line", values="pctviability"
    )
    pd.testing.assert_frame_equal(long, wide[long.columns], atol=2e-3, rtol=1e-5, check_names=False)
    assert (long > 100).any(axis=None)


def test_some_lines_lack_ratios_and_one_the_highest(study: SimulatedStudy) -> None:
    viability = pd.read_csv(study.viability, sep="\t")
    assert viability["pctviability"].notna().all()
    present = pd.crosstab(viability["cell_line"], viability["Condition"]).astype(bool)
    assert (~present).sum().sum() == 4
    assert (~present["D1_NK_5"]).sum() == 1
    assert present["D1_CTRL"].all()


def test_auc_is_the_trapezoid_over_the_measured_ratios(study: SimulatedStudy) -> None:
    table = pd.read_csv(study.viability_auc, sep="\t")
    pd.testing.assert_frame_equal(
        table.drop(columns=["auc", "auc_norm"]), pd.read_csv(study.viability, sep="\t")
    )
    empty = 0
    for _, line in table.groupby("cell_line"):
        assert len(line["auc"].drop_duplicates()) == 1
        if "D1_NK_5" not in set(line["Condition"]):
            assert line[["auc", "auc_norm"]].isna().all(axis=None)
            empty += 1
            continue
        area = np.trapezoid(line["pctviability"], line["Condition"].map(RATIOS))
        np.testing.assert_allclose(line["auc"], area, rtol=1e-5)
        np.testing.assert_allclose(line["auc_norm"], area / 500, rtol=1e-5)
    assert empty == 1


def test_measured_susceptibility_follows_the_truth(study: SimulatedStudy, truth: dict) -> None:
    auc = pd.read_csv(study.viability_auc, sep="\t").groupby("cell_line")["auc_norm"].first()
    planted = pd.DataFrame(truth["lines"]).T
    both = pd.DataFrame({"measured": 1 - auc, "true": planted["susceptibility"].astype(float)})
    assert both.corr(method="spearman").loc["measured", "true"] > 0.8
    by_lineage = both["true"].groupby(planted["lineage"]).mean()
    assert by_lineage.idxmax() == "AML"
    assert by_lineage.idxmin() == "B-ALL"


def test_replicates_are_reliable_but_not_perfect(study: SimulatedStudy) -> None:
    replicates = pd.read_csv(study.replicates, sep="\t").dropna(axis=1)
    areas = np.array(
        [
            np.trapezoid(values.iloc[:, 2:], values["Condition"].map(RATIOS), axis=0) / 500
            for _, values in replicates.groupby("Biological_replicate")
        ]
    )
    # reliability of the mean of three: share of its variance that is not replicate error
    reliability = 1 - areas.var(axis=0, ddof=1).mean() / 3 / areas.mean(axis=0).var(ddof=1)
    assert 0.8 < reliability < 0.95


def test_screens_are_twelve_and_genome_wide(screens: pd.DataFrame, truth: dict) -> None:
    assert set(screens["cell_line"]) == GAIN | LOSS == set(truth["screens"])
    for name, screen in screens.groupby("cell_line"):
        assert screen["Gene"].nunique() == len(screen) == 300
        assert screen["lfc_z"].mean() == pytest.approx(0, abs=1e-4)
        assert screen["lfc_z"].std(ddof=0) == pytest.approx(1, abs=1e-4)
        assert (screen["FDR"] >= screen["p"] * (1 - 1e-5)).all()
        assert screen.sort_values("p")["FDR"].is_monotonic_increasing
        by_strength = screen.assign(strength=screen["lfc_z"].abs()).sort_values("strength")
        assert by_strength["p"].is_monotonic_decreasing
        kind = "gain" if name in GAIN else "loss"
        assert truth["screens"][name]["perturbation"] == kind


def test_detected_drivers_carry_the_sign_of_the_perturbation(
    screens: pd.DataFrame, truth: dict
) -> None:
    table = screens.set_index(["cell_line", "Gene"])
    checked = 0
    for name, planted in truth["screens"].items():
        for gene in planted["detected_drivers"]:
            sensitizes = truth["drivers"][gene]["effect"] > 0
            survives = table.loc[(name, gene), "lfc"] > 0
            assert survives == (sensitizes if name in LOSS else not sensitizes)
            assert table.loc[(name, gene), "p"] < 0.01
            checked += 1
    assert checked > 20


def test_known_drivers_and_decoys_are_those_the_screens_report(truth: dict) -> None:
    known = {gene for gene, driver in truth["drivers"].items() if driver["known"]}
    reported = {g for s in truth["screens"].values() for g in s["detected_drivers"]}
    decoys = {g for s in truth["screens"].values() for g in s["decoys"]}
    assert len(truth["drivers"]) == 24
    assert len(known) == 14
    assert reported == known
    assert decoys == set(truth["decoys"])
    assert len(decoys) == len(known)
    assert not decoys & set(truth["drivers"])


def test_antigen_presentation_protects_and_ligands_sensitize(truth: dict) -> None:
    protecting = {"HLA-E", "HLA-A", "B2M", "TAP1", "JAK1", "STAT1", "CFLAR", "XIAP", "BIRC3"}
    sensitizing = {"NCR3LG1", "CD58", "ULBP1", "CD48", "FAS", "CASP8", "FADD", "ICAM1", "PVR"}
    drivers = truth["drivers"]
    assert all(drivers[gene]["effect"] < 0 for gene in protecting & set(drivers))
    assert all(drivers[gene]["effect"] > 0 for gene in sensitizing & set(drivers))
    assert (protecting | sensitizing) & set(drivers)


def test_patients_are_integer_counts_with_missing_genes(study: SimulatedStudy, truth: dict) -> None:
    counts = pd.read_csv(study.patients, sep="\t", index_col=0)
    assert counts.shape == (285, 8)
    assert all(dtype == np.int64 for dtype in counts.dtypes)
    assert (counts >= 0).all(axis=None)
    depth = counts.sum()
    assert depth.max() > 1.3 * depth.min()
    assert list(truth["patients"]) == list(counts.columns)
    lineages = {patient["lineage"] for patient in truth["patients"].values()}
    assert lineages <= {"AML", "B-ALL", "T-ALL", "MM", "BCL"}


def test_a_study_replaces_an_earlier_one(tmp_path: Path) -> None:
    simulate_study(tmp_path / "study", n_genes=120, n_patients=1)
    again = simulate_study(tmp_path / "study", n_genes=150, n_patients=2, n_drivers=6)
    assert pd.read_csv(again.expression, index_col=0).shape == (63, 150)
    assert len(json.loads(again.truth.read_text(encoding="utf-8"))["drivers"]) == 6


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds 1 other file \(notes\.txt\)"):
        simulate_study(tmp_path, n_genes=300)
    with pytest.raises(InputError, match="is a file"):
        simulate_study(tmp_path / "notes.txt", n_genes=300)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"n_genes": 100}, r"n_genes is 100; 24 drivers .* between 118 and \d+ genes"),
        ({"n_genes": 1_000_000}, "n_genes is 1000000"),
        ({"n_genes": 300, "n_drivers": 200}, "n_genes is 300; 200 drivers"),
        ({"n_drivers": 0}, "n_drivers is 0; expected 1 or more"),
        ({"n_patients": 0}, "n_patients is 0; expected 1 or more"),
        ({"random_state": -1}, "random_state is -1; expected 0 or more"),
    ],
)
def test_sizes_out_of_range_are_refused(
    sizes: dict[str, int], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        simulate_study(tmp_path / "study", **sizes)
    assert not (tmp_path / "study").exists()
