"""The real screens that evidence is measured on, and what is said about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nkpredict.evidence import ScreenTable

ZHUANG = "zhuang2019_K562_primaryNK"
ORCS = f"{ZHUANG}_orcs1081_scores"
PECH = "Pech_K562_NK_92_r1"
FREEMAN = "Freeman_B16F10_NK"
VREDEVOOGD = "Vredevoogd_IFNGR1mut_SKCM_MART_1_1r"
MOUSE_T_CELL = (
    "Kearney_B16F10_OT_I",
    "Kearney_MC38_OT_I_aPD1",
    "Kearney_MC38_OT_I_IgG",
    "Manguso_GVAX_only_vs_TCRa_KO",
    "Manguso_GVAX_PD_1_vs_TCRa_KO",
    "Manguso_TCRa_KO_vs_In_vitro",
    "Pan_B16F10_Pmel_1_IFNg",
)
METADATA = {
    ZHUANG: {"cell_line": "K562", "effector": "primary NK", "source": "Zhuang 2019"},
    ORCS: {"cell_line": "K562", "effector": "primary NK", "source": "Zhuang 2019"},
    PECH: {"cell_line": "K562", "effector": "NK-92", "source": "Pech 2019"},
    FREEMAN: {
        "cell_line": "B16F10",
        "effector": "primary NK",
        "species": "mouse",
        "source": "Freeman 2019",
    },
    VREDEVOOGD: {"effector": "T cell"},
} | {name: {"effector": "T cell", "species": "mouse"} for name in MOUSE_T_CELL}
FILES = (f"screens/{ZHUANG}.mle.gene_summary.txt", "screens/immune_screens_lfc.tsv.gz")
ORCS_FILE = f"screens/{ORCS}.csv"
SCORES = "screens/immune_screens_neg_rra_score.tsv.gz"
CELL_LINES = ("HL60", "KBM7")
SHEET = [
    {"sample": f"{line}.{time}", "role": role, "screen": line, "cell_line": line}
    for line in CELL_LINES
    for time, role in (("initial", "control"), ("final", "NK"))
]
PAIR = [{"sample": "L1", "role": "NK"}, {"sample": "CTRL", "role": "control"}]
MOUSE = {"MAGeCKFlute": {"species": "mouse"}}
NAMED = ("NCR3LG1", "IFNGR2", "JAK1", "STAT1", "B2M", "IRF1", "IFNGR1", "JAK2", "HLA-E", "TAP1")

Table = tuple[str, list[str], list[list[Any]]]


def without(screens: ScreenTable, names: Sequence[str]) -> ScreenTable:
    rows = screens.table[~screens.table["screen"].isin(list(names))]
    return ScreenTable(rows, screens.provenance)
