"""What drugs do to NK cells: judged by class, inherited alike, measured drugs apart."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from nkpredict.drugs import drug_classes, drug_synonyms, known_targets, name_of_drug, read_targets

DOI = r"10\.\d{4,9}/\S+"
# a DOI, or for the few without one that is certain the journal, label or archive
SOURCED = rf"{DOI}|PMCID:PMC\d+|FDA label: .+|[A-Z][A-Za-z ]+ \d{{4}};\d+:\d+"


@pytest.fixture(scope="module")
def drugs() -> pd.DataFrame:
    return known_targets().table.drop_duplicates("drug").set_index("drug")


def test_most_drugs_are_judged_and_every_judgement_has_its_source(drugs):
    assert len(drugs) == 286
    judged = drugs[drugs["nk_liability"] != "unknown"]
    assert len(judged) >= 190
    for source in judged["nk_liability_source"]:
        head, inherited, sources = (
            source.rpartition(", ") if source[:6] == "class:" else ("", "", source)
        )
        assert all(re.fullmatch(SOURCED, part) for part in sources.split("; ")), source
        assert bool(head) == bool(inherited)
    assert (drugs.loc[drugs["nk_liability"] == "unknown", "nk_liability_source"] == "").all()
    # a drug's own measurement has a DOI; an inherited one names its class
    assert judged["nk_liability_source"].str.contains(f"^class: |{DOI}").all()


def test_a_drug_without_measurement_inherits_its_class_and_no_other_judgement(drugs):
    classes = drug_classes().set_index("mechanism_class")
    assert set(drugs["mechanism_class"]) - {""} <= set(classes.index)
    own = (drugs["nk_liability"] != "unknown") & ~drugs["nk_liability_source"].str.startswith(
        "class:"
    )
    for name, members in drugs[~own & (drugs["mechanism_class"] != "")].groupby("mechanism_class"):
        assert set(members["nk_liability"]) == {classes.loc[name, "nk_liability"]}, name
        for source in members["nk_liability_source"]:
            expected = classes.loc[name, "nk_liability_source"]
            assert source == (f"class: {name}, {expected}" if expected else "")
    # nothing is judged that has neither a class nor a measurement of its own
    assert set(drugs.loc[~own & (drugs["mechanism_class"] == ""), "nk_liability"]) == {"unknown"}
    assert (drugs["mechanism_class"] != "").mean() > 0.9


@pytest.mark.parametrize(
    ("drug", "measured", "liability"),
    [
        ("carfilzomib", "bortezomib", "harms"),
        ("ixazomib", "bortezomib", "harms"),
        ("isatuximab", "daratumumab", "harms"),
        ("pacritinib", "ruxolitinib", "harms"),
        ("pelcitoclax", "navitoclax", "harms"),
        ("LCL161", "BV6", "helps"),
        ("birinapant", "BV6", "helps"),
        ("utomilumab", "urelumab", "helps"),
        ("ofatumumab", "rituximab", "mixed"),
    ],
)
def test_drugs_of_one_mechanism_are_judged_alike(drugs, drug, measured, liability):
    assert drugs["nk_liability"][drug] == drugs["nk_liability"][measured] == liability


@pytest.mark.parametrize(
    ("drug", "liability"),
    [
        ("tesnatilimab", {"harms"}),
        ("alemtuzumab", {"harms"}),
        ("alefacept", {"harms"}),
        ("lorvotuzumab mertansine", {"harms", "mixed"}),
        ("daratumumab", {"harms"}),
        ("ropeginterferon alfa-2b", {"helps"}),
        ("interferon gamma-1b", {"helps"}),
        ("urelumab", {"helps"}),
        ("xevinapant", {"helps"}),
        ("entospletinib", {"harms"}),
        ("saracatinib", {"harms"}),
        ("prednisone", {"harms"}),
        ("upadacitinib", {"harms"}),
        ("magrolimab", {"helps"}),
        ("DT2216", {"unknown"}),
    ],
)
def test_drugs_that_act_on_nk_cells_themselves(drugs, drug, liability):
    assert drugs["nk_liability"][drug] in liability


def test_what_was_measured_itself_goes_before_the_class(drugs):
    own = drugs["nk_liability_source"].str.startswith("10.")
    for drug, liability in (
        ("venetoclax", "mixed"),
        ("acalabrutinib", "spares"),
        ("fedratinib", "mixed"),
        ("imatinib", "spares"),
    ):
        assert own[drug]
        assert drugs["nk_liability"][drug] == liability


def test_measured_with_nk_cells_is_a_column_of_its_own(drugs):
    tried = drugs["measured_with_nk_cells"].str.startswith("yes")
    assert tried.sum() >= 40
    assert (drugs.loc[~tried, "measured_with_nk_cells"] == "no").all()
    sources = drugs.loc[tried, "measured_with_nk_cells_source"].str.split("; ").explode()
    assert sources.str.fullmatch(SOURCED).all()
    # what a drug does to the tumour cells is told apart from what it does to NK cells
    assert drugs.loc["carfilzomib", "measured_with_nk_cells"] == "yes: enhances killing"
    assert drugs.loc["carfilzomib", "nk_liability"] == "harms"


def test_every_class_says_whether_it_is_cytotoxic():
    classes = drug_classes()
    assert classes["mechanism_class"].is_unique
    assert set(classes["cytotoxic"]) == {"yes", "no"}
    words = classes["words"].str.split("|").explode()
    words = words[words != ""]
    assert not words.str.lower().duplicated().any()
    cytotoxic = set(classes.loc[classes["cytotoxic"] == "yes", "mechanism_class"])
    assert {"proteasome inhibitor", "alkylating agent", "BCL-2/BCL-XL inhibitor"} <= cytotoxic
    assert {"JAK inhibitor", "PD-1/PD-L1 antibody", "glucocorticoid"}.isdisjoint(cytotoxic)


@pytest.mark.parametrize(
    ("name", "drug"),
    [
        ("NVP-LCL161", "LCL161"),
        ("LCL-161", "LCL161"),
        ("AZD1775", "adavosertib"),
        ("MK-1775", "adavosertib"),
        ("mk 1775", "adavosertib"),
        ("TL32711", "birinapant"),
        ("ABT-263", "navitoclax"),
        ("ABT199", "venetoclax"),
        ("GDC-0199", "venetoclax"),
        ("VENETOCLAX", "venetoclax"),
        ("rapamycin", "sirolimus"),
        ("chidamide", "tucidinostat"),
        ("imatinib mesylate", "imatinib"),
        ("Ruxolitinib Phosphate", "ruxolitinib"),
        ("belantamab mafodotin-blmf", "belantamab mafodotin"),
        ("palbociclib (PD0332991)", "palbociclib"),
        ("sodium valproate", "valproic acid"),
        ("a drug nobody knows", "a drug nobody knows"),
        ("imatinib analogue", "imatinib analogue"),
    ],
)
def test_names_resolve_to_one(name, drug):
    assert name_of_drug(name) == drug


def test_every_synonym_names_one_shipped_drug(drugs):
    synonyms = drug_synonyms()
    assert set(synonyms["drug"]) <= set(drugs.index)
    plain = synonyms["synonym"].map(lambda name: re.sub(r"[^a-z0-9]", "", name.lower()))
    assert not plain.duplicated().any()
    assert not set(plain) & {re.sub(r"[^a-z0-9]", "", name.lower()) for name in drugs.index}
    assert [name_of_drug(name) for name in synonyms["synonym"]] == synonyms["drug"].tolist()


def test_tables_from_files_inherit_by_synonym_and_by_the_words_of_a_mechanism(tmp_path):
    path = tmp_path / "hub.txt"
    path.write_text(
        "pert_iname\tclinical_phase\tmoa\ttarget\n"
        "MLN-9708\tLaunched\t\tPSMB5\n"
        "delanzomib\tPhase 1\tproteasome inhibitor|NFkB pathway inhibitor\tPSMB5\n"
        "filgotinib\tLaunched\tJAK inhibitor\tJAK1\n"
        "cerdulatinib\tPhase 2\tBTK inhibitor|SYK inhibitor\tSYK\n"
        "aspirin\tLaunched\tcyclooxygenase inhibitor\tPTGS2\n"
    )
    read = read_targets(path)
    table = read.table.set_index("drug")
    assert table["nk_liability"].to_dict() == {
        "ixazomib": "harms",
        "delanzomib": "harms",
        "filgotinib": "harms",
        # of two classes the one that does more harm
        "cerdulatinib": "harms",
        "aspirin": "unknown",
    }
    assert table["mechanism_class"]["cerdulatinib"] == "SYK inhibitor"
    assert table["nk_liability_source"]["delanzomib"].startswith("class: proteasome inhibitor, 10.")
    assert table["cytotoxic"].to_dict()["filgotinib"] == "no"
    assert table["measured_with_nk_cells"]["ixazomib"] == "no"
    assert table["measured_with_nk_cells"]["aspirin"] == "unknown"
    assert read.provenance.files[0].counts["drugs_renamed"] == 1
    assert read.provenance.counts["drugs_judged_by_class"] == 3


def test_two_names_of_one_drug_in_two_files_are_one_row(tmp_path):
    (tmp_path / "one.csv").write_text(
        "gene_name,drug_name,interaction_type\nBIRC2,NVP-LCL161,inhibitor\n"
    )
    (tmp_path / "two.csv").write_text(
        "gene_name,drug_name,interaction_type\nBIRC2,LCL161,antagonist\n"
    )
    read = read_targets(tmp_path / "one.csv", tmp_path / "two.csv")
    assert read.table["drug"].tolist() == ["LCL161"]
    whole = known_targets().extended_by(read)
    assert whole.provenance.pairs_added == 0


def test_a_table_that_says_itself_what_a_drug_does_to_nk_cells_is_believed(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "gene,drug,action,effect_on_gene,relation,source,nk_liability,nk_liability_source\n"
        "PSMB5,carfilzomib,inhibitor,lowers,direct,a paper,spares,10.1000/mine\n"
    )
    row = read_targets(path).table.iloc[0]
    assert (row["nk_liability"], row["nk_liability_source"]) == ("spares", "10.1000/mine")
    assert row["mechanism_class"] == "proteasome inhibitor"
