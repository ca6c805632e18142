from __future__ import annotations

import pandas as pd
import pytest

from nkpredict.drugs import TargetTable, known_targets, read_surface_proteins, surface_proteins
from nkpredict.drugs._table import TARGET_COLUMNS
from nkpredict.drugs._vocabulary import EFFECT_OF_ACTION, MODALITIES, Phase, Relation
from nkpredict.errors import InputError
from nkpredict.io import approved_symbols
from nkpredict.vocabulary import NKLiability

SOURCE = (
    r"10\.\d{4,9}/\S+|PMID:\d+|PMCID:PMC\d+|NCT\d{8}|(?:FDA label|EMA|PMDA|NMPA): .+"
    r"|[A-Z][A-Za-z ]+ \d{4};\d+:\d+"
)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return known_targets().table


def pair(table: pd.DataFrame, gene: str, drug: str) -> pd.Series:
    found = table[(table["gene"] == gene) & (table["drug"] == drug)]
    assert len(found) == 1
    return found.iloc[0]


def test_the_curated_table_keeps_its_contract(table: pd.DataFrame):
    assert tuple(table.columns) == TARGET_COLUMNS
    assert len(table) >= 280
    assert set(table["gene"]) <= approved_symbols()
    assert not table.duplicated(["gene", "drug"]).any()
    assert set(table["modality"]) <= set(MODALITIES) - {"unknown"}
    assert set(table["action"]) <= set(EFFECT_OF_ACTION) - {"unknown"}
    assert set(table["highest_phase"]) <= set(Phase) - {"unknown"}
    assert set(table["relation"]) <= set(Relation) - {"unknown"}
    assert set(table["nk_liability"]) == set(NKLiability)
    assert (table["effect_on_gene"] == table["action"].map(EFFECT_OF_ACTION)).all()


def test_every_row_has_a_well_formed_source(table: pd.DataFrame):
    sources = table["source"].str.split("; ").explode()
    assert sources.str.fullmatch(SOURCE).all(), sources[~sources.str.fullmatch(SOURCE)].unique()
    told = table.loc[table["nk_liability"] != "unknown", "nk_liability_source"]
    assert told.str.split("; ").explode().str.fullmatch(f"(?:class: .+, )?(?:{SOURCE})").all()
    assert (table.loc[table["nk_liability"] == "unknown", "nk_liability_source"] == "").all()
    assert (table.loc[table["relation"] == "expression", "note"] != "").mean() > 0.9


def test_only_approved_drugs_have_an_approved_use(table: pd.DataFrame):
    used = table[table["approved_blood_cancers"] != ""]
    assert set(used["highest_phase"]) == {"approved"}


@pytest.mark.parametrize(
    ("gene", "drug", "effect", "liability"),
    [
        ("HLA-E", "monalizumab", "lowers", "helps"),
        ("HLA-C", "lirilumab", "lowers", "helps"),
        ("JAK1", "ruxolitinib", "lowers", "harms"),
        ("NR3C1", "dexamethasone", "raises", "harms"),
        ("BCL2", "venetoclax", "lowers", "mixed"),
        ("IKZF1", "lenalidomide", "lowers", "helps"),
        ("BTK", "ibrutinib", "lowers", "harms"),
        ("BTK", "acalabrutinib", "lowers", "spares"),
        ("ABL1", "dasatinib", "lowers", "mixed"),
        ("MICA", "entinostat", "raises", "helps"),
        ("ULBP1", "decitabine", "raises", "mixed"),
        ("CD58", "tazemetostat", "raises", "mixed"),
        ("NCR3LG1", "entinostat", "lowers", "helps"),
        ("TNFRSF10B", "conatumumab", "raises", "unknown"),
        ("CD38", "daratumumab", "none", "harms"),
        ("PVR", "tiragolumab", "mixed", "helps"),
    ],
)
def test_known_pairs(table: pd.DataFrame, gene: str, drug: str, effect: str, liability: str):
    row = pair(table, gene, drug)
    assert (row["effect_on_gene"], row["nk_liability"]) == (effect, liability)


def test_drugs_that_suppress_lymphocytes_are_never_called_harmless(table: pd.DataFrame):
    suppressing = table[table["gene"].isin(["JAK1", "JAK3", "NR3C1", "MTOR", "MCL1", "PPP3CA"])]
    kept = suppressing[suppressing["drug"] != "alvocidib"]
    assert set(kept["nk_liability"]) <= {"harms", "mixed"}


def test_callers_get_their_own_copy():
    mine, marks = known_targets().table, surface_proteins()
    mine["gene"] = "changed"
    marks["gene"] = "changed"
    assert "changed" not in set(known_targets().table["gene"])
    assert "changed" not in set(surface_proteins()["gene"])


def test_readable_form(table: pd.DataFrame):
    assert repr(known_targets()).startswith(f"TargetTable({len(table)} pairs of ")


def row(**changes: str) -> pd.DataFrame:
    plain = {
        "gene": "BCL2",
        "drug": "venetoclax",
        "modality": "small molecule",
        "action": "inhibitor",
        "effect_on_gene": "lowers",
        "relation": "direct",
        "highest_phase": "approved",
        "approved_blood_cancers": "CLL",
        "nk_liability": "unknown",
        "nk_liability_source": "",
        "mechanism_class": "",
        "cytotoxic": "unknown",
        "measured_with_nk_cells": "no",
        "measured_with_nk_cells_source": "",
        "source": "made up",
        "note": "",
    }
    return pd.DataFrame([plain | changes])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (row().drop(columns="source"), "lacks the columns source"),
        (row().iloc[:0], "no rows"),
        (row(gene="KIAA0922"), r"no approved symbol in 1 rows \(KIAA0922 / venetoclax\)"),
        (row(action="helper"), "the action helper"),
        (row(effect_on_gene="raises"), "not its action's"),
        (row(modality="pill"), "the modality pill"),
        (row(highest_phase="phase 5"), "the highest_phase phase 5"),
        (row(source=" "), "no source"),
        (row(nk_liability="harms"), "liability without source"),
        (row(nk_liability_source="10.1/x"), "source without liability"),
        (row(cytotoxic="maybe"), "the cytotoxic maybe"),
        (row(measured_with_nk_cells="yes"), "the measured_with_nk_cells yes"),
        (
            row(measured_with_nk_cells="yes: both seen"),
            "a measurement with NK cells without source",
        ),
        (row(measured_with_nk_cells_source="10.1/x"), "or a source without one"),
        (pd.concat([row(), row(drug="Venetoclax")]), "same gene and drug"),
        (
            pd.concat([row(), row(gene="BAX", highest_phase="phase 1")]),
            "more than one mechanism_class.*modality",
        ),
        (row().assign(note=float("nan")), "missing values or numbers in note"),
    ],
)
def test_breaches_of_the_contract_are_refused(rows: pd.DataFrame, message: str):
    with pytest.raises(InputError, match=message):
        TargetTable(rows.reset_index(drop=True))


def test_the_first_table_has_the_last_word_on_a_pair_and_a_drug():
    liability = {"nk_liability": "mixed", "nk_liability_source": "10.1/x"}
    first = TargetTable(row(**liability))
    other = {"drug": "VENETOCLAX", "highest_phase": "phase 1", "approved_blood_cancers": ""}
    second = TargetTable(
        pd.concat(
            [
                row(**other),
                row(gene="BAX", **other),
                row(gene="BAX", drug="BTSA1", action="activator", effect_on_gene="raises"),
            ],
            ignore_index=True,
        )
    )
    joined = first.extended_by(second)
    assert list(zip(joined.table["gene"], joined.table["drug"], strict=True)) == [
        ("BAX", "BTSA1"),
        ("BAX", "venetoclax"),
        ("BCL2", "venetoclax"),
    ]
    assert set(joined.table["highest_phase"]) == {"approved"}
    assert pair(joined.table, "BAX", "venetoclax")["nk_liability"] == "mixed"
    assert joined.provenance.pairs_added == 2
    assert joined.provenance.pairs_left_to_the_first_table == 1


def test_surface_marks_keep_their_contract(table: pd.DataFrame):
    surface = surface_proteins().set_index("gene")["surface"]
    assert set(surface.index) <= approved_symbols()
    assert surface.index.is_unique
    assert set(table["gene"]) <= set(surface.index)
    assert set(surface[["CD38", "HLA-E", "MICA", "ULBP2", "TNFRSF10B"]]) == {"yes"}
    assert set(surface[["BCL2", "JAK1", "IKZF1", "TP53"]]) == {"no"}
    killing = table[(table["action"] == "depleting") & (table["relation"] == "direct")]
    assert set(surface[killing["gene"]]) == {"yes"}


def test_a_list_of_surface_proteins_is_read(tmp_path):
    path = tmp_path / "surface.csv"
    path.write_text("Symbol,Source\nCD38,a paper\nKIAA0922,\nCD38,\nNOSUCHGENE,x\n")
    read = read_surface_proteins(path)
    assert read["gene"].tolist() == ["CD38", "TMEM131L"]
    assert set(read["surface"]) == {"yes"}
    assert read["source"].tolist() == ["a paper", "surface.csv"]
    assert read.attrs["dropped"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,x\nCD38,1\n", "with the column gene or symbol"),
        ("gene,x\nNOSUCHGENE,1\n", "names no known gene"),
        ("gene,surface\nCD38,maybe\n", "surface other than yes and no"),
    ],
)
def test_bad_lists_of_surface_proteins_are_refused(tmp_path, text: str, message: str):
    path = tmp_path / "surface.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_surface_proteins(path)
