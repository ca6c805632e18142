from __future__ import annotations

from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score

from nkpredict.errors import InputError
from nkpredict.evidence import (
    combine_screens,
    describe_gene,
    gene_evidence,
    known_hits,
    read_screens,
)

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


ORCS = "zhuang2019_K562_primaryNK_orcs1081_scores"
SAME_STUDY = {
    name: {"effector": "primary NK", "cell_line": "K562", "source": "Zhuang 2019"}
    for name in ("zhuang2019_K562_primaryNK", ORCS)
}


def test_p_values_among_the_scores_of_orcs_are_no_null_effects(shared_data: Path):
    path = shared_data / f"screens/{ORCS}.csv"
    screens = read_screens(path, metadata={ORCS: SAME_STUDY[ORCS]})
    (read,) = screens.provenance.files
    assert read.layout == "scores of BioGRID ORCS"
    assert read.counts["rows_read"] == 20617
    assert 1100 < read.counts["p_values_among_scores"] < 1300
    assert read.counts["restored_dates"] > 0
    table = screens.table.set_index("gene")
    assert table.loc[["ICAM1", "CD58"], "effect"].isna().all()
    assert table.loc["ICAM1", "p"] == pytest.approx(7.25e-5)
    assert table.loc["CD58", "p"] == pytest.approx(9.47e-5)
    assert table.loc["NCR3LG1", "effect"] > 0 > table.loc["B2M", "effect"]
    assert describe_gene("ICAM1", screens).screens[0]["side"] == "unknown"


def test_two_analyses_of_one_study_count_once(shared_data: Path):
    screens = read_screens(
        shared_data / ZHUANG, shared_data / f"screens/{ORCS}.csv", metadata=SAME_STUDY
    )
    assert set(screens.provenance.experiments) == {
        f"{name}{end}"
        for name, ends in (("zhuang2019_K562_primaryNK", ("_Rep1", "_Rep2")), (ORCS, ("",)))
        for end in ends
    }
    combined = combine_screens(screens)
    assert combined.table["n_screens"].max() == 1
    assert combined.provenance.screens[0].signs_joined > 1000
    assert (combined.table.loc[["ICAM1", "CD58", "NCR3LG1"], "score"] > 2).all()


def test_screens_of_other_studies_find_the_genes_of_figure_4(shared_data: Path):
    paths = [ZHUANG, f"screens/{ORCS}.csv", "screens/immune_screens_lfc.tsv.gz"]
    screens = read_screens(*(shared_data / p for p in paths), metadata=METADATA | SAME_STUDY)
    size = combine_screens(screens).table["score"].abs()
    hits = known_hits()
    listed = size.index.isin(hits.loc[hits["study"] == "Dufva 2023", "gene"])
    assert listed.sum() == 70
    assert roc_auc_score(listed, size) >= 0.65


@pytest.mark.parametrize("files", [(ZHUANG,), (ZHUANG, f"screens/{ORCS}.csv")])
def test_screens_of_primary_nk_cells_support_what_is_known(shared_data: Path, files):
    paths = [shared_data / file for file in files]
    named = {n: SAME_STUDY[n] for n in SAME_STUDY if len(files) > 1 or n != ORCS}
    evidence = gene_evidence(read_screens(*paths, metadata=named))
    assert evidence.provenance.hits_left_out == ("Zhuang 2019",)
    table = evidence.table
    for gene, sign in (("NCR3LG1", 1), ("B2M", -1), ("HLA-E", -1)):
        assert sign * table.loc[gene, "evidence"] > 0.8


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
