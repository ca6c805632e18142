from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nkpredict.errors import InputError
from nkpredict.evidence import ScreenTable, read_screens
from nkpredict.io import SCREEN_COLUMNS

COMBINED = """Gene,lfc,p,FDR,cell_line,lfc_z
JAK1,-1.5,1e-6,0.01,K562,-4
NCR3LG1,2.0,1e-7,0.001,K562,5
JAK1,1.1,2e-5,0.02,MM1S_GOF,3
NCR3LG1,-0.9,3e-5,0.03,MM1S_GOF,-3
B2M,-0.8,0.01,0.5,KMS11_KHYG1,-2
B2M,0.7,0.02,0.5,LP1_KHYG1_GOF,2
"""
SIDES = ("score", "p-value", "fdr", "rank", "goodsgrna", "lfc")
RRA = "\t".join(["id", "num", *(f"{end}|{name}" for end in ("neg", "pos") for name in SIDES)])
RRA += """
B2M\t4\t1e-6\t1e-5\t0.001\t1\t4\t-1.5\t1\t0.9\t1\t4\t0\t-1.5
FADD\t4\t0.9\t0.8\t1\t3\t0\t1.2\t1e-5\t2e-4\t0.01\t1\t4\t1.2
TAP1\t4\t1e-4\t1e-3\t0.02\t2\t1\t0.4\t0.5\t0.6\t1\t3\t1\t0.4
PTEN\t4\t0.9\t0.7\t1\t4\t0\t0.1\t0.9\t0.7\t1\t2\t0\t0.1
"""
VALUES = ("beta", "z", "p-value", "fdr")
MLE = "\t".join(
    [
        *("Gene", "sgRNA", *(f"Rep1|{name}" for name in VALUES)),
        *("Rep1|wald-p-value", "Rep1|wald-fdr", *(f"Rep2|{name}" for name in VALUES)),
    ]
)
MLE += """
B2M\t6\t-0.5\t-3\t0\t0\t0.002\t0.1\t-0.4\t-2\t0.03\t0.2
FADD\t6\t0.6\t3\t0.01\t0.1\t0.004\t0.2\t0.3\t2\t0.04\t0.3
"""
MATRIX = """\tLineA_LFC\tLineB_LFC
B2M\t-1.5\t
FADD\t0.5\t0.25
"""
TIDY = """gene,screen,cell_line,perturbation,effector,lfc,p
B2M,s1,K562,gain,NK-92,0.5,0.01
"""


@pytest.fixture
def write(tmp_path):
    def _write(text: str, name: str = "screen.txt") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def cell(table: ScreenTable, gene: str, screen: str) -> pd.Series:
    rows = table.table.query("gene == @gene and screen == @screen")
    assert len(rows) == 1
    return rows.iloc[0]


def counts(table: ScreenTable) -> dict[str, int]:
    return table.provenance.files[0].counts


# --- layouts -------------------------------------------------------------------------------


def test_combined_table_names_screens_and_signs_effects(write):
    table = read_screens(write(COMBINED))
    assert tuple(table.table.columns) == SCREEN_COLUMNS
    screens = table.screens
    assert screens.loc["K562", ["perturbation", "effector"]].tolist() == ["loss", "primary NK"]
    assert screens.loc["MM1S_GOF", ["cell_line", "perturbation"]].tolist() == ["MM1S", "gain"]
    assert screens.loc["KMS11_KHYG1", ["cell_line", "perturbation", "effector"]].tolist() == [
        "KMS11",
        "loss",
        "KHYG-1",
    ]
    assert screens.loc["LP1_KHYG1_GOF", ["cell_line", "perturbation", "effector"]].tolist() == [
        "LP1",
        "gain",
        "KHYG-1",
    ]
    # losing or gaining the gene, JAK1 protects and B7-H6 sensitizes
    assert cell(table, "JAK1", "K562").effect == -1.5
    assert cell(table, "JAK1", "MM1S_GOF").effect == -1.1
    assert cell(table, "JAK1", "MM1S_GOF").lfc == 1.1
    assert cell(table, "NCR3LG1", "K562").effect == 2.0
    assert cell(table, "NCR3LG1", "MM1S_GOF").effect == 0.9
    assert not table.simulated


def test_rra_p_is_two_sided_and_that_of_the_side_the_change_points_to(write):
    table = read_screens(write(RRA, "myscreen.gene_summary.txt"))
    b2m, fadd = cell(table, "B2M", "myscreen"), cell(table, "FADD", "myscreen")
    assert (b2m.effect, b2m.p, b2m.fdr) == (-1.5, pytest.approx(2e-5), 0.001)
    assert (fadd.effect, fadd.p, fadd.fdr) == (1.2, pytest.approx(4e-4), 0.01)
    # depleted by a few guides while the median guide is enriched: no hit
    tap1 = cell(table, "TAP1", "myscreen")
    assert (tap1.effect, tap1.p, tap1.fdr) == (0.4, 1.0, 1.0)
    assert cell(table, "PTEN", "myscreen").p == 1.0
    assert counts(table)["side_contradicts_fold_change"] == 2


def test_mle_has_a_screen_for_each_condition_and_takes_the_wald_test(write):
    table = read_screens(write(MLE, "zhuang.mle.gene_summary.txt"))
    assert list(table.screens.index) == ["zhuang_Rep1", "zhuang_Rep2"]
    first, second = cell(table, "B2M", "zhuang_Rep1"), cell(table, "B2M", "zhuang_Rep2")
    assert (first.effect, first.p, first.fdr) == (-0.5, 0.002, 0.1)
    assert (second.effect, second.p, second.fdr) == (-0.4, 0.03, 0.2)


def test_matrix_has_no_p_and_leaves_out_what_was_not_measured(write):
    table = read_screens(write(MATRIX))
    assert len(table.table) == 3
    assert table.table[["p", "fdr"]].isna().all(axis=None)
    assert cell(table, "B2M", "LineA").effect == -1.5
    assert counts(table)["not_measured"] == 1
    assert any("loss of function" in text for text in table.provenance.files[0].assumptions)


def test_header_without_corner_as_r_writes_it(write):
    table = read_screens(write("A_LFC\tB_LFC\nB2M\t-1\t2\nFADD\t1\t0\n"))
    assert cell(table, "B2M", "B").lfc == 2


def test_tidy_table_works_its_effect_out_again(write):
    row = cell(read_screens(write(TIDY)), "B2M", "s1")
    assert (row.effect, row.effector, row.perturbation) == (-0.5, "NK-92", "gain")


def test_gzip_and_semicolons(tmp_path):
    path = tmp_path / "screen.csv.gz"
    path.write_bytes(gzip.compress(COMBINED.replace(",", ";").encode()))
    assert len(read_screens(path).table) == 6


def test_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "screen.csv.gz"
    whole = bytearray(gzip.compress((COMBINED * 20).encode()))
    whole[-20] ^= 0xFF
    path.write_bytes(bytes(whole))
    with pytest.raises(InputError):
        read_screens(path)


def test_scores_without_direction_are_refused(write):
    with pytest.raises(InputError, match="neither p-values nor effects"):
        read_screens(write("\tA_RRAscore\nB2M\t0.5\n"))


def test_unknown_header_names_what_was_found_and_expected(write):
    with pytest.raises(InputError, match=r"columns sgRNA, Gene, eff.*MAGeCK RRA.*MAGeCK MLE"):
        read_screens(write("sgRNA\tGene\teff\ns_1\tB2M\t1\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Gene,lfc,p,cell_line\nB2M,a,0.1,K562\nFADD,b,0.1,K562\n", "text where log fold"),
        ("Gene,lfc,p,lfc,cell_line\nB2M,1,0.1,1,K562\n", "more than once"),
        ("\tA_LFC\n101\t1\n102\t2\n", "by numbers"),
        ("\tA_LFC\nB2M\t1\t2\t3\n", "2 values more"),
        ("Gene,lfc,p,cell_line\nControl,1,0.1,K562\n", "none of its 1 rows"),
        ("gene,screen,perturbation,effector,lfc\nB2M,s,up,NK,1\n", "perturbation up"),
        (
            "gene,screen,perturbation,effector,lfc\nB2M,s,loss,NK,1\nFADD,s,gain,NK,1\n",
            "more than one way",
        ),
    ],
)
def test_unusable_files_are_refused(write, text, message):
    with pytest.raises(InputError, match=message):
        read_screens(write(text))


@pytest.mark.parametrize(
    "name",
    ["K562_GOF.csv", "crispra-screen.csv", "Calabrese_A.csv", "SAM_K562.csv", "CRISPR-a.csv"],
)
def test_a_name_that_says_gain_of_function_is_not_read_as_loss(write, name):
    path = write(MATRIX, name)
    with pytest.raises(InputError, match="speak of gain of function, and nothing states"):
        read_screens(path)
    described = {path.name.split(".")[0]: {"perturbation": "gain"}}
    assert cell(read_screens(path, metadata=described), "B2M", "LineA").effect == 1.5


def test_a_screen_of_that_name_is_asked_about_and_others_are_not(write):
    with pytest.raises(InputError, match=r"1 screens \(LineA_CRISPRa\)"):
        read_screens(write(MATRIX.replace("LineA_LFC", "LineA_CRISPRa_LFC")))
    for name in ("SAMPLE_again.csv", "samurai.csv"):
        assert len(read_screens(write(MATRIX, name)).screens) == 2


# --- metadata ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dict", "yaml", "csv"])
def test_metadata_win_over_the_file(write, kind):
    metadata: object = {"LineA": {"effector": "NK-92", "perturbation": "gain", "source": "Pech"}}
    if kind == "yaml":
        metadata = write("LineA: {effector: NK-92, perturbation: gain, source: Pech}\n", "m.yaml")
    if kind == "csv":
        metadata = write("screen,effector,perturbation,source\nLineA,NK-92,gain,Pech\n", "m.csv")
    table = read_screens(write(MATRIX), metadata=metadata)
    assert table.screens.loc["LineA"].tolist() == ["unknown", "gain", "NK-92", "Pech", 2]
    assert cell(table, "B2M", "LineA").effect == 1.5
    assert table.screens.loc["LineB", "effector"] == "unknown"


def test_metadata_by_file_hold_for_all_its_screens(write):
    table = read_screens(
        write(MLE, "z.gene_summary.txt"),
        metadata={"z": {"effector": "primary NK"}, "other": {"effector": "NK-92"}},
    )
    assert set(table.screens["effector"]) == {"primary NK"}
    assert table.provenance.metadata_without_screen == ("other",)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"nowhere": {"effector": "NK-92"}}, "none of which"),
        ({"LineA": {"efector": "NK-92"}}, "field efector"),
        ({"LineA": {"perturbation": "knockout"}}, "'knockout'"),
        ({"LineA": {"species": "rat"}}, "'rat'"),
        ({"LineA": "NK-92"}, "expected the fields"),
    ],
)
def test_wrong_metadata_are_refused(write, metadata, message):
    with pytest.raises(InputError, match=message):
        read_screens(write(MATRIX), metadata=metadata)


# --- traps ---------------------------------------------------------------------------------


def matrix_of(*genes: str) -> str:
    rows = "".join(f"{gene}\t{value}\n" for value, gene in enumerate(genes, start=1))
    return f"\tA_LFC\n{rows}"


@pytest.mark.parametrize(
    ("given", "approved"),
    [
        ("7-Mar", "MARCHF7"),
        ("2-Sep", "SEPTIN2"),
        ("MAR-07", "MARCHF7"),
        ("2018-09-02", "SEPTIN2"),
        ("KIAA0922", "TMEM131L"),
        ("C10ORF62", "C10orf62"),
        ("CD99_X", "CD99"),
        ("0GK", "NAGK"),
        ("ENSG00000166710", "B2M"),
    ],
)
def test_damaged_and_old_names_are_restored(write, given, approved):
    table = read_screens(write(matrix_of(given, "FADD")))
    assert approved in set(table.table["gene"])


def test_controls_and_micro_rna_are_dropped_and_counted(write):
    controls = [
        *("NonTargeting", "Non-Targeting Control", "NON_TARGETING_CONTROL", "NONTARGET.CTRL12"),
        *("CTRL", "CTRL0001", "NO_CURRENT_3", "INTERGENIC_2", "ONE_INTERGENIC_SITE_9"),
        *("luciferase", "EGFP", "GFP_A", "LacZ", "NEGATIVECONTROL", "NTC", "SAFE_HARBOR"),
    ]
    micro = ["hsa-mir-21", "hsa-let-7a-1", "HSA-MIR-100"]
    genes = ["NT5E", "LUC7L", "GFPT1", "NEO1", "CFP", "NEGR1", "SAFB", "MIR21", "RFPL1", "B2M"]
    table = read_screens(write(matrix_of(*controls, *micro, *genes)))
    assert set(table.table["gene"]) == set(genes)
    assert counts(table)["dropped_controls"] == len(controls)
    assert counts(table)["dropped_micro_rna"] == len(micro)


def test_rows_naming_several_genes_are_dropped(write):
    table = read_screens(write(matrix_of("AGAP4;AGAP8", "B2M")))
    assert counts(table)["dropped_several_genes_in_one_row"] == 1


def test_of_duplicates_the_smallest_p_then_the_largest_change_stays(write):
    text = (
        "Gene,lfc,p,cell_line\nSEPTIN2,3,0.5,K562\n2-Sep,1,0.01,K562\nSEPTIN2,-2,0.01,K562\n"
        "TMEM131L,9,,K562\nKIAA0922,1,0.9,K562\n"
    )
    table = read_screens(write(text))
    assert cell(table, "SEPTIN2", "K562").lfc == -2
    assert cell(table, "TMEM131L", "K562").lfc == 1
    assert counts(table)["dropped_duplicates"] == 3


def test_infinite_text_and_impossible_numbers_are_dropped_and_counted(write):
    text = (
        "Gene,lfc,p,FDR,cell_line\nB2M,inf,0.1,0.1,K562\nFADD,x,0.1,0.1,K562\n"
        "JAK1,1,256.68,0.1,K562\nTAP1,1,0.1,7,K562\nPTEN,1,,,K562\n,1,0.1,0.1,K562\n"
        "STAT1,,0.1,0.1,K562\n"
    )
    table = read_screens(write(text))
    assert set(table.table["gene"]) == {"TAP1", "PTEN"}
    assert np.isnan(cell(table, "TAP1", "K562").fdr)
    found = counts(table)
    assert found["dropped_infinite"] == 1
    assert found["dropped_text_among_numbers"] == 1
    assert found["dropped_impossible_p"] == 1
    assert found["fdr_outside_0_to_1_ignored"] == 1
    assert found["dropped_without_gene_name"] == 1
    assert found["not_measured"] == 1
    assert (found["rows_read"], found["rows_kept"]) == (7, 2)


def test_mouse_symbols_are_refused_unless_announced(write):
    path = write(matrix_of("Jak1", "Psmb8", "March5", "B2m"))
    with pytest.raises(InputError, match=r"mouse gene symbols \(Jak1.*species: mouse"):
        read_screens(path)
    table = read_screens(path, metadata={"A": {"species": "mouse"}})
    assert set(table.table["gene"]) == {"JAK1", "PSMB8", "MARCHF5", "B2M"}
    assert any("upper-cased" in text for text in table.provenance.files[0].assumptions)


def test_simulated_screens_are_marked(write):
    table = read_screens(write(COMBINED.replace("K562", "SIM-K562")))
    assert table.provenance.simulated is True
    assert "SIMULATED" in repr(table)


def test_one_file_given_twice_is_refused(write):
    path = write(COMBINED)
    with pytest.raises(InputError, match="given twice"):
        read_screens(path, path)


def test_one_screen_in_two_files_is_refused(write):
    with pytest.raises(InputError, match=r"K562 is in a\.csv and again in b\.csv"):
        read_screens(write(COMBINED, "a.csv"), write(COMBINED, "b.csv"))


# --- properties ----------------------------------------------------------------------------


def test_order_of_rows_and_files_does_not_matter(write):
    lines = COMBINED.splitlines()
    turned = "\n".join([lines[0], *reversed(lines[1:])]) + "\n"
    first = read_screens(write(COMBINED, "a.csv"), write(MATRIX, "b.tsv"))
    second = read_screens(write(MATRIX, "b.tsv"), write(turned, "a.csv"))
    pd.testing.assert_frame_equal(
        first.table.drop(columns="source"), second.table.drop(columns="source")
    )
    assert [f.file for f in first.provenance.files] == ["a.csv", "b.tsv"]


GENES = ["B2M", "FADD", "JAK1", "TAP1", "PTEN", "STAT1", "NCR3LG1", "CD58", "HLA-E"]
changes = st.floats(-10, 10, allow_nan=False).map(lambda value: round(value, 6))
rows = st.fixed_dictionaries(
    {
        "gene": st.sampled_from(GENES),
        "screen": st.sampled_from(["s1", "s2_r1", "SIM-s3"]),
        "lfc": changes,
        "p": st.one_of(st.none(), st.floats(0, 1)),
        "fdr": st.one_of(st.none(), st.floats(0, 1)),
    }
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.lists(rows, min_size=1, max_size=20, unique_by=lambda r: (r["gene"], r["screen"])),
    gained=st.sets(st.sampled_from(["s1", "s2_r1", "SIM-s3"])),
)
def test_generated_tables_survive_writing_and_reading(tmp_path, content, gained):
    table = pd.DataFrame(content).astype({"p": float, "fdr": float})
    table["perturbation"] = np.where(table["screen"].isin(gained), "gain", "loss")
    table = table.assign(cell_line="K562", effector="primary NK", source="made up")
    table["effect"] = table["lfc"].where(table["perturbation"] == "loss", -table["lfc"]) + 0.0
    table = table.sort_values(["screen", "gene"], ignore_index=True)[list(SCREEN_COLUMNS)]
    path = tmp_path / "round.csv"
    table.to_csv(path, index=False)
    pd.testing.assert_frame_equal(read_screens(path).table, table, check_dtype=False)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from(
        [b"", b"Gene,lfc,p,cell_line\n", b"\tA_LFC\n", RRA.encode(), b"Gene\tA|beta\n", b"\x1f\x8b"]
    ),
    rest=st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)),
)
def test_any_bytes_give_a_table_or_an_input_error(tmp_path, start, rest):
    path = tmp_path / "any.txt"
    path.write_bytes(start + rest)
    try:
        table = read_screens(path)
    except InputError as error:
        assert str(error)  # noqa: PT017
    else:
        assert isinstance(table, ScreenTable)
