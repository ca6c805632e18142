from __future__ import annotations

from pathlib import Path

import pytest

from nkpredict.errors import InputError
from nkpredict.evidence import combine_screens, read_screens

pytestmark = pytest.mark.real_data

T_CELL = (
    "Kearney_B16F10_OT_I",
    "Kearney_MC38_OT_I_aPD1",
    "Kearney_MC38_OT_I_IgG",
    "Manguso_GVAX_only_vs_TCRa_KO",
    "Manguso_GVAX_PD_1_vs_TCRa_KO",
    "Manguso_TCRa_KO_vs_In_vitro",
    "Pan_B16F10_Pmel_1_IFNg",
    "Vredevoogd_IFNGR1mut_SKCM_MART_1_1r",
)
METADATA = {name: {"effector": "T cell"} for name in T_CELL} | {
    "Pech_K562_NK_92_r1": {"cell_line": "K562", "effector": "NK-92"},
    "Freeman_B16F10_NK": {"cell_line": "B16F10", "species": "mouse", "effector": "primary NK"},
}
ZHUANG = "screens/zhuang2019_K562_primaryNK.mle.gene_summary.txt"


def test_zhuang_finds_the_interferon_axis_protecting(shared_data: Path):
    screens = read_screens(
        shared_data / ZHUANG,
        metadata={"zhuang2019_K562_primaryNK": {"effector": "primary NK", "cell_line": "K562"}},
    )
    counts = screens.provenance.files[0].counts
    assert (counts["rows_read"], counts["restored_dates"]) == (41394, 24)
    assert counts["dropped_micro_rna"] == 3590
    evidence = combine_screens(screens)
    assert (evidence.for_genes(["IFNGR2", "STAT1"]) < 0).all()
    assert (evidence.table["evidence"] != 0).sum() < 50


def test_matrix_of_published_screens(shared_data: Path):
    screens = read_screens(shared_data / "screens/immune_screens_lfc.tsv.gz", metadata=METADATA)
    counts = screens.provenance.files[0].counts
    assert counts["rows_read"] == 246900
    assert counts["restored_dates"] > 40
    assert not screens.table["gene"].str.match(r"(?i)hsa-|no_current|nontarget|\d{4}-").any()
    evidence = combine_screens(screens)
    assert evidence.provenance.left_out_effector_is_t_cell == tuple(sorted(T_CELL))


def test_scores_without_direction_are_refused(shared_data: Path):
    with pytest.raises(InputError, match="RRA scores"):
        read_screens(shared_data / "screens/immune_screens_neg_rra_score.tsv.gz")


@pytest.mark.parametrize("kind", ["mle", "rra"])
def test_mouse_screens_need_to_be_announced(shared_data: Path, kind: str):
    path = shared_data / f"formats/MAGeCKFlute_{kind}.gene_summary.txt"
    with pytest.raises(InputError, match="species: mouse"):
        read_screens(path)
    table = read_screens(path, metadata={"MAGeCKFlute": {"species": "mouse"}}).table
    assert {"CD274", "PSMB8", "MARCHF5"} <= set(table["gene"])


@pytest.mark.parametrize(
    ("name", "n_screens"),
    [
        ("demo1_rra_from_count_table_demo.gene_summary.txt", 1),
        ("demo2_run_mageck_from_fastq_demo.gene_summary.txt", 1),
        ("demo3_mle_with_cnv_correction_beta_leukemia.gene_summary.txt", 2),
    ],
)
def test_genuine_mageck_output_is_read(shared_data: Path, name: str, n_screens: int):
    assert len(read_screens(shared_data / "formats" / name).screens) == n_screens


@pytest.mark.parametrize(
    "name",
    [
        "MAGeCKFlute_countsummary.txt",
        "MAGeCKFlute_rra.sgrna_summary.txt",
        "demo1_rra_from_count_table_sample.txt",
        "demo3_mle_with_cnv_correction_cnv_data.txt",
    ],
)
def test_other_mageck_files_are_refused(shared_data: Path, name: str):
    with pytest.raises(InputError, match="no known screen table"):
        read_screens(shared_data / "formats" / name)
