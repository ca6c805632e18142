"""Guide counts with a sample sheet, and RRA scores beside their fold changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nkpredict.errors import InputError
from nkpredict.evidence import combine_screens, read_screens
from nkpredict.facts import ScreenFileFacts

GENES = ["B2M", "JAK1", "NCR3LG1", "FADD", "PTEN", "TAP1", "STAT1", "CD58", "ICAM1", "FAS"]
SHEET = [
    {"sample": "ctrl", "role": "control"},
    {"sample": "nk", "role": "NK", "cell_line": "K562", "effector": "primary NK"},
]


def count_table(n_guides: int = 4, n_controls: int = 60, seed: int = 0) -> pd.DataFrame:
    """Counts in which JAK1 is lost with NK cells, NCR3LG1 gained, and nothing else happens."""
    rng = np.random.default_rng(seed)
    names = [*np.repeat(GENES, n_guides), *["NonTargeting"] * n_controls]
    effect = pd.Series(names).map({"JAK1": 0.25, "NCR3LG1": 4.0}).fillna(1.0).to_numpy()
    depth = rng.uniform(200, 800, len(names))
    return pd.DataFrame(
        {
            "sgRNA": [f"g{i}" for i in range(len(names))],
            "Gene": names,
            "ctrl": rng.poisson(depth),
            "nk": rng.poisson(depth * effect * 1.7),
        }
    )


@pytest.fixture
def write(tmp_path: Path):
    def _write(table: pd.DataFrame, name: str = "screen.count.txt", sep: str = "\t") -> Path:
        path = tmp_path / name
        table.to_csv(path, sep=sep, index=False)
        return path

    return _write


def facts(screens: Any) -> ScreenFileFacts:
    return screens.provenance.files[0]


# --- guide counts --------------------------------------------------------------------------


def test_counts_are_scored_signed_and_named_after_the_file(write) -> None:
    screens = read_screens(write(count_table()), sample_sheet=SHEET)
    described = screens.screens
    assert described.index.tolist() == ["screen"]
    assert described.loc["screen", ["cell_line", "effector"]].tolist() == ["K562", "primary NK"]
    table = screens.table.set_index("gene")
    assert set(table.index) == set(GENES)
    assert table.loc["JAK1", "effect"] == pytest.approx(-2, abs=0.15)
    assert table.loc["NCR3LG1", "effect"] == pytest.approx(2, abs=0.15)
    assert (table.loc[["JAK1", "NCR3LG1"], "p"] < 1e-4).all()
    assert (table.drop(["JAK1", "NCR3LG1"])["p"] > 0.001).all()
    assert table.loc["B2M", "effect"] == pytest.approx(0, abs=0.1)
    assert facts(screens).layout == "table of guide counts"
    assert facts(screens).counts["control_guides"] == 60
    assert "p from 60 control guides" in " ".join(facts(screens).assumptions)


def test_the_same_counts_give_the_same_bytes(write) -> None:
    path = write(count_table())
    first, second = (read_screens(path, sample_sheet=SHEET).table for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_fold_changes_by_hand(write) -> None:
    table = pd.DataFrame(
        {
            "sgRNA": [f"g{i}" for i in range(7)],
            "Gene": ["B2M", "B2M", "B2M", "FADD", "FADD", "PTEN", "PTEN"],
            "ctrl": [99, 99, 99, 99, 99, 99, 99],
            "nk": [199, 399, 49, 99, 99, 99, 99],
        }
    )
    # few guides: normalised by total reads, 693 and 1043, to their geometric mean
    size = np.array([693, 1043]) / np.sqrt(693 * 1043)
    change = np.log2((table["nk"] / size[1] + 1) / (table["ctrl"] / size[0] + 1))
    expected = change.groupby(table["Gene"]).median() - change.median()
    screens = read_screens(write(table, "s.csv", ","), sample_sheet=SHEET)
    assert screens.table.set_index("gene")["lfc"].to_dict() == pytest.approx(expected.to_dict())
    assert "total reads" in " ".join(facts(screens).assumptions)


def test_replicates_are_paired_where_the_sheet_says_so(write) -> None:
    first, second = count_table(seed=1), count_table(seed=2)
    both = first.assign(ctrl2=second["ctrl"], nk2=second["nk"])
    sheet = [
        {"sample": name, "role": role, "replicate": replicate, "screen": "K562"}
        for name, role, replicate in (
            ("ctrl", "control", 1), ("nk", "NK", 1), ("ctrl2", "control", 2), ("nk2", "NK", 2)
        )
    ]  # fmt: skip
    screens = read_screens(write(both), sample_sheet=sheet)
    assert "2 paired replicates" in " ".join(facts(screens).assumptions)
    assert screens.table.set_index("gene").loc["JAK1", "effect"] == pytest.approx(-2, abs=0.15)
    unpaired = [{k: v for k, v in row.items() if k != "replicate"} for row in sheet]
    said = " ".join(facts(read_screens(write(both), sample_sheet=unpaired)).assumptions)
    assert "2 treated against 2 control samples" in said


def test_one_control_may_serve_two_screens(write) -> None:
    table = count_table().assign(khyg=lambda t: t["nk"], unused=1)
    sheet = [
        {"sample": "ctrl", "role": "control", "screen": "a"},
        {"sample": "nk", "role": "NK", "screen": "a"},
        {"sample": "ctrl", "role": "control", "screen": "b"},
        {"sample": "khyg", "role": "NK", "screen": "b", "perturbation": "gain"},
    ]
    screens = read_screens(write(table), sample_sheet=sheet)
    assert screens.screens["perturbation"].to_dict() == {"a": "loss", "b": "gain"}
    wide = screens.table.pivot_table(index="gene", columns="screen", values="effect")
    np.testing.assert_allclose(wide["a"], -wide["b"])
    assert facts(screens).counts["samples_not_in_sample_sheet"] == 1


@pytest.mark.parametrize("kind", ["yaml", "csv"])
def test_the_sheet_may_be_a_file(write, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"sheet.{kind}"
    if kind == "yaml":
        path.write_text(yaml.safe_dump(SHEET))
    else:
        pd.DataFrame(SHEET).to_csv(path, index=False)
    screens = read_screens(
        write(count_table()), sample_sheet=path, metadata={"screen": {"effector": "NK-92"}}
    )
    assert screens.screens.loc["screen", "effector"] == "NK-92"


def test_guides_and_genes_with_too_little_are_dropped_and_counted(write) -> None:
    table = count_table()
    table.loc[table["Gene"] == "FAS", "ctrl"] = 3
    table.loc[0, "nk"] = np.nan
    table.loc[1, "Gene"] = np.nan
    extra = table.iloc[[5]]
    screens = read_screens(write(pd.concat([table, extra])), sample_sheet=SHEET)
    assert "FAS" not in set(screens.table["gene"])
    counts = facts(screens).counts
    assert counts["guides_with_few_reads_dropped"] == 4
    assert counts["genes_with_few_guides_dropped"] == 1
    assert counts["guides_without_count_dropped"] == 1
    assert counts["guides_without_gene_dropped"] == 1
    assert counts["guides_repeated_dropped"] == 1


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        (None, "expected a sample sheet"),
        ([], "lists no sample|has the columns"),
        ([{"sample": "ctrl"}], "expected sample, role"),
        ([{"sample": "ctrl", "role": "control", "colour": "red"}], "expected sample, role"),
        ([{"sample": "nk", "role": "NK"}], "no sample with the role control"),
        ([*SHEET, SHEET[0]], "ctrl more than once"),
        ([SHEET[0], {"sample": "nk", "role": "drug"}], "the role drug"),
        ([SHEET[0], {"sample": "nk2", "role": "NK"}], "has no samples nk2"),
        ([SHEET[0], {"sample": "", "role": "NK"}], "without a sample"),
        ([SHEET[0], SHEET[1] | {"screen": "a"}], "names no screen for ctrl"),
        ([SHEET[0], SHEET[1] | {"perturbation": "knockout"}], "'knockout'"),
        ([SHEET[0] | {"effector": "KHYG-1"}, SHEET[1]], "expected one for all samples"),
        ("text", "no file"),
        (["ctrl", "nk"], "no list of samples"),
    ],
)
def test_unusable_sheets_are_refused(write, sheet: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_screens(write(count_table()), sample_sheet=sheet)


def test_a_sheet_without_counts_is_refused(write) -> None:
    path = write(pd.DataFrame({"": ["B2M"], "A_LFC": [1.0]}))
    with pytest.raises(InputError, match="none of the files is a table of guide counts"):
        read_screens(path, sample_sheet=SHEET)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.assign(nk="high"), "text, negative or infinite"),
        (lambda t: t.assign(nk=-1), "text, negative or infinite"),
        (lambda t: t.assign(ctrl=1), "expected deeper counts"),
        (lambda t: t.drop_duplicates("Gene"), "no gene with 2"),
    ],
)
def test_unusable_counts_are_refused(write, spoil: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_screens(write(spoil(count_table())), sample_sheet=SHEET)


@pytest.mark.slow
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    counts=st.lists(st.tuples(*[st.integers(30, 5000)] * 2), min_size=12, max_size=30),
    depth=st.sampled_from([0.5, 1, 7]),
)
def test_any_counts_give_p_values_and_swapped_roles_the_opposite_sign(
    tmp_path: Path, counts: list[tuple[int, int]], depth: float
) -> None:
    genes = [GENES[i // 3] for i in range(len(counts))]
    table = pd.DataFrame(counts, columns=["ctrl", "nk"]).assign(
        sgRNA=[f"g{i}" for i in range(len(counts))], Gene=genes
    )[["sgRNA", "Gene", "ctrl", "nk"]]
    table["nk"] = np.maximum(table["nk"] * depth, 30)
    path = tmp_path / "any.csv"
    table.to_csv(path, index=False)
    there = read_screens(path, sample_sheet=SHEET).table
    swapped = [{"sample": "nk", "role": "control"}, {"sample": "ctrl", "role": "NK"}]
    back = read_screens(path, sample_sheet=swapped).table
    assert there["p"].between(0, 1, inclusive="right").all()
    assert (there["fdr"] >= there["p"] - 1e-12).all()
    np.testing.assert_allclose(there["lfc"], -back["lfc"], atol=1e-9)


# --- RRA scores ----------------------------------------------------------------------------

LFC = "\tA_LFC\tB_LFC\nB2M\t-2\t-1\nFADD\t1\t2\nJAK1\t-1\t\nTAP1\t0.5\t1\n2018-03-01\t0\t0.5\n"
SCORES = (
    "\tA_RRAscore\tB_RRAscore\nB2M\t0.001\t0.4\nFADD\t0.9\t0.95\nJAK1\t0.7\t\nTAP1\t0.8\t0.9\n"
    "2018-03-01\t-6.7\tinf\n"
)


@pytest.fixture
def matrices(tmp_path: Path) -> tuple[Path, Path]:
    lfc, scores = tmp_path / "lfc.tsv", tmp_path / "scores.tsv"
    lfc.write_text(LFC)
    scores.write_text(SCORES)
    return lfc, scores


def test_scores_are_p_values_of_depleted_genes_only(matrices) -> None:
    lfc, scores = matrices
    for files in ((lfc, scores), (scores, lfc)):
        screens = read_screens(*files)
        table = screens.table.set_index(["screen", "gene"])
        assert table.loc[("A", "B2M"), "p"] == pytest.approx(0.002)
        assert table.loc[("B", "B2M"), "p"] == pytest.approx(0.8)
        assert table.loc[("A", "JAK1"), "p"] == 1.0
        assert table["p"].notna().sum() == 3
        # the rows with impossible scores go, and are counted on both sides
        assert "MARCHF1" not in set(screens.table["gene"])
    first, second = screens.provenance.files
    assert first.counts["dropped_impossible_p"] == 2
    assert second.layout == "matrix of RRA scores of negative selection"
    assert second.counts == {
        "rows_read": 10,
        "not_measured": 1,
        "repeated_scores": 0,
        "scores_used_as_p": 3,
        "scores_of_genes_not_depleted": 4,
        "rejected_outside_0_to_1": 2,
        "without_fold_change": 0,
    }


def test_scores_alone_or_beside_p_values_are_refused(matrices, tmp_path: Path) -> None:
    _, scores = matrices
    with pytest.raises(InputError, match="in the same call"):
        read_screens(scores)
    other = tmp_path / "other.tsv"
    other.write_text("\tC_LFC\nB2M\t1\n")
    with pytest.raises(InputError, match="in the same call"):
        read_screens(scores, other)
    tested = tmp_path / "tested.csv"
    tested.write_text("gene,screen,perturbation,effector,lfc,p\nB2M,A,loss,primary NK,-1,0.5\n")
    with pytest.raises(InputError, match="has p-values already"):
        read_screens(scores, tested)


def test_a_screen_tested_on_one_side_keeps_the_z_of_the_other(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    from nkpredict.io import approved_symbols

    names = sorted(approved_symbols())[:2000]
    change = rng.normal(size=2000)
    change[0], change[1] = 9.0, -9.0
    score = np.where(change < 0, rng.uniform(size=2000), 0.9)
    score[1] = 1e-9
    lfc, scores = tmp_path / "lfc.csv", tmp_path / "scores.csv"
    pd.DataFrame({"": names, "A_LFC": change}).to_csv(lfc, index=False)
    pd.DataFrame({"": names, "A_RRAscore": score}).to_csv(scores, index=False)
    table = combine_screens(read_screens(lfc, scores)).table
    assert table.loc[names[0], "score"] > 3
    assert table.loc[names[1], "score"] < -5
    assert table["n_screens"].eq(1).all()
    assert table["heterogeneity"].eq(0).all()


# --- real files ----------------------------------------------------------------------------


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "n_genes", "few_reads"),
    [
        ("demo1_rra_from_count_table_sample.txt", 100, 23),
        ("demo3_mle_with_cnv_correction_leukemia.new.csv", 1000, 276),
    ],
)
def test_genuine_counts_are_read(
    shared_data: Path, file: str, n_genes: int, few_reads: int
) -> None:
    sheet = [
        {"sample": f"{line}.{time}", "role": role, "screen": line, "cell_line": line}
        for line in ("HL60", "KBM7")
        for time, role in (("initial", "control"), ("final", "NK"))
    ]
    screens = read_screens(shared_data / "formats" / file, sample_sheet=sheet)
    assert screens.screens["n_genes"].tolist() == [n_genes, n_genes]
    assert facts(screens).counts["guides_with_few_reads_dropped"] == few_reads
    # an essential gene drops out of both lines, whatever the effectors
    effects = screens.table.set_index(["gene", "screen"])["effect"]
    assert (effects.loc["ACTR8"] < -0.5).all()


@pytest.mark.real_data
def test_fold_changes_agree_with_those_of_mageck(shared_data: Path) -> None:
    folder = shared_data / "formats"
    sheet = [
        {"sample": f"{line}.{time}", "role": role}
        for line in ("HL60", "KBM7")
        for time, role in (("initial", "control"), ("final", "NK"))
    ]
    ours = read_screens(folder / "demo1_rra_from_count_table_sample.txt", sample_sheet=sheet)
    theirs = read_screens(folder / "demo1_rra_from_count_table_demo.gene_summary.txt")
    first, second = (t.table.set_index("gene")["lfc"] for t in (ours, theirs))
    assert first.corr(second) > 0.99


@pytest.mark.real_data
def test_counts_of_one_read_are_refused(shared_data: Path) -> None:
    path = shared_data / "formats" / "demo2_run_mageck_from_fastq_demo.count.txt"
    sheet = [{"sample": "L1", "role": "NK"}, {"sample": "CTRL", "role": "control"}]
    with pytest.raises(InputError, match="0 of 2550 guides"):
        read_screens(path, sample_sheet=sheet)
    with pytest.raises(InputError, match="expected a sample sheet"):
        read_screens(path)


@pytest.mark.real_data
def test_the_published_score_matrix_is_read_beside_its_fold_changes(shared_data: Path) -> None:
    folder = shared_data / "screens"
    mouse = [
        "Freeman_B16F10_NK", "Kearney_B16F10_OT_I", "Kearney_MC38_OT_I_aPD1",
        "Kearney_MC38_OT_I_IgG", "Manguso_GVAX_only_vs_TCRa_KO", "Manguso_GVAX_PD_1_vs_TCRa_KO",
        "Manguso_TCRa_KO_vs_In_vitro", "Pan_B16F10_Pmel_1_IFNg",
    ]  # fmt: skip
    screens = read_screens(
        folder / "immune_screens_lfc.tsv.gz",
        folder / "immune_screens_neg_rra_score.tsv.gz",
        metadata={name: {"species": "mouse"} for name in mouse},
    )
    scores = screens.provenance.files[1].counts
    assert (scores["rejected_outside_0_to_1"], scores["scores_used_as_p"]) == (18, 61084)
    assert screens.table.loc[screens.table["p"].notna(), "lfc"].max() < 0
