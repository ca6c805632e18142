from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nkpredict.drugs import known_targets, read_surface_proteins, read_targets
from nkpredict.drugs._vocabulary import (
    EFFECT_OF_ACTION,
    Phase,
    action_of,
    action_on_gene,
    modality_of,
    phase_of,
)
from nkpredict.errors import InputError

DGIDB_OLD = (
    "Gene\tinteraction_claim_source\tinteraction_types\tdrug_claim_name\t"
    "drug_claim_primary_name\tdrug_name\tdrug_chembl_id\tPMIDs\n"
    "BCL2\tTTD\tinhibitor\tABT-199\tABT-199\tVENETOCLAX\tCHEMBL3137309\t\n"
    "BCL2\tMyCancerGenome\t\tvenetoclax\tvenetoclax\tvenetoclax\t\t23291630,12345\n"
    "ADORA2A\tGuideToPharmacology\tagonist,antagonist\t392\tMRS1041\tCHEMBL72862\tCHEMBL72862\t\n"
    "\tTTD\tinhibitor\tx\tx\tx\t\t\n"
    "NOSUCHGENE\tTTD\tinhibitor\tx\tx\tx\t\t\n"
)
DGIDB_NEW = (
    "gene_claim_name\tgene_concept_id\tgene_name\tinteraction_source_db_name\t"
    "interaction_source_db_version\tinteraction_type\tinteraction_score\tdrug_claim_name\t"
    "drug_concept_id\tdrug_name\tapproved\timmunotherapy\tanti_neoplastic\n"
    "KIAA0922\thgnc:1\tKIAA0922\tFDA\t1\tagonist\t0.1\tA\trxcui:1\tDRUG A\tTRUE\tFALSE\tTRUE\n"
    "JAK1\thgnc:2\tJAK1\tTTD\t1\tNULL\tNULL\tB\tNULL\tNULL\tFALSE\tFALSE\tFALSE\n"
)
HUB = (
    "!Source\tThe Hub\n!File_date\t3/24/2020\n"
    "pert_iname\tclinical_phase\tmoa\ttarget\tdisease_area\tindication\n"
    "rasagiline\tLaunched\tmonoamine oxidase inhibitor\tBCL2|MAOB\tneurology\t\xe9\n"
    "dasatinib\tLaunched\tBcr-Abl kinase inhibitor|KIT inhibitor\tABL1|KIT|LYN\toncology\t\n"
    "old one\tWithdrawn\tJAK inhibitor|JAK agonist\tJAK1\t\t\n"
    "nothing\tPhase 2/Phase 3\tHDAC inhibitor\t\t\t\n"
)
CHEMBL = (
    "Parent Molecule ChEMBL ID;Parent Molecule Name;Parent Molecule Type;Max Phase;"
    "Mechanism of Action;Action Type;Target Components\n"
    "CHEMBL1;DRUG C;Small molecule;0.5;Histone deacetylase inhibitor;INHIBITOR;HDAC1|HDAC2\n"
    "CHEMBL2;DRUG D;Antibody;4;Interleukin-6 receptor antagonist;;IL6R\n"
)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def actions(table: pd.DataFrame) -> dict[tuple[str, str], str]:
    return dict(zip(zip(table["gene"], table["drug"], strict=True), table["action"], strict=True))


def test_dgidb_as_maftools_exports_it(tmp_path):
    path = tmp_path / "drugs.tsv.gz"
    path.write_bytes(gzip.compress(DGIDB_OLD.encode()))
    read = read_targets(path)
    assert actions(read.table) == {
        ("ADORA2A", "MRS1041"): "unknown",
        ("BCL2", "venetoclax"): "inhibitor",
    }
    joined = read.table[read.table["gene"] == "BCL2"].iloc[0]
    assert joined["source"] == "DGIdb: TTD; DGIdb: MyCancerGenome; PMID:23291630; PMID:12345"
    # what the drug does to NK cells is known from the shipped table
    assert joined["nk_liability"] == "mixed"
    (record,) = read.provenance.files
    assert record.layout == "DGIdb interactions"
    assert record.counts["dropped_without_gene"] == 1
    assert record.counts["dropped_gene_not_in_reference"] == 1
    assert read.provenance.counts["rows_joined"] == 1


def test_dgidb_as_it_is_handed_out_now(tmp_path):
    read = read_targets(write(tmp_path / "interactions.tsv", DGIDB_NEW))
    assert actions(read.table) == {("TMEM131L", "DRUG A"): "agonist", ("JAK1", "B"): "unknown"}
    assert read.table.set_index("gene")["highest_phase"]["TMEM131L"] == "approved"
    assert read.provenance.files[0].counts["genes_renamed"] == 1


def test_the_hub_states_mechanisms_of_drugs_not_of_pairs(tmp_path):
    read = read_targets(write(tmp_path / "hub.txt", HUB, "latin-1"))
    assert actions(read.table) == {
        ("MAOB", "rasagiline"): "inhibitor",
        ("BCL2", "rasagiline"): "unknown",
        ("ABL1", "dasatinib"): "inhibitor",
        ("KIT", "dasatinib"): "inhibitor",
        ("LYN", "dasatinib"): "unknown",
        ("JAK1", "old one"): "unknown",
    }
    assert set(read.table["highest_phase"]) == {"approved"}
    assert read.table.set_index("drug")["note"]["old one"].endswith("withdrawn")
    (record,) = read.provenance.files
    assert record.encoding == "latin-1"
    assert record.counts["dropped_without_gene"] == 1


def test_chembl_mechanisms(tmp_path):
    table = read_targets(write(tmp_path / "mechanisms.csv", CHEMBL)).table.set_index("gene")
    assert table["action"].to_dict() == {
        "HDAC1": "inhibitor",
        "HDAC2": "inhibitor",
        "IL6R": "antagonist",
    }
    assert table["highest_phase"].to_dict() == {
        "HDAC1": "phase 1",
        "HDAC2": "phase 1",
        "IL6R": "approved",
    }
    assert table["modality"]["IL6R"] == "antibody"


OPEN_TARGETS = [
    {
        "drugId": "CHEMBL1",
        "prefName": "DRUG E",
        "targetId": "ENSG00000171791",
        "phase": 2.0,
        "drugType": "Small molecule",
        "mechanismOfAction": "Apoptosis regulator Bcl-2 inhibitor",
    },
    {
        "drugId": "CHEMBL1",
        "prefName": "DRUG E",
        "targetId": "ENSG00000171791",
        "phase": 3.0,
        "drugType": "Small molecule",
        "mechanismOfAction": "Apoptosis regulator Bcl-2 inhibitor",
    },
]


@pytest.mark.parametrize("form", ["lines", "list", "parquet", "tsv"])
def test_open_targets(tmp_path, form: str):
    path = tmp_path / "drugs"
    if form == "lines":
        write(path, "".join(json.dumps(record) + "\n" for record in OPEN_TARGETS))
    elif form == "list":
        write(path, json.dumps(OPEN_TARGETS))
    elif form == "parquet":
        pd.DataFrame(OPEN_TARGETS).to_parquet(path)
    else:
        write(path, pd.DataFrame(OPEN_TARGETS).to_csv(sep="\t", index=False))
    (row,) = read_targets(path).table.to_dict(orient="records")
    assert (row["gene"], row["drug"], row["action"]) == ("BCL2", "DRUG E", "inhibitor")
    assert (row["highest_phase"], row["modality"]) == ("phase 3", "small molecule")


def test_the_products_own_columns_are_read_back(tmp_path):
    path = tmp_path / "own.csv"
    known = known_targets().table
    known.to_csv(path, index=False)
    pd.testing.assert_frame_equal(
        read_targets(path).table, known.sort_values(["gene", "drug"], ignore_index=True)
    )


def test_contradicting_files_leave_an_action_unknown(tmp_path):
    one = write(tmp_path / "one.csv", CHEMBL)
    two = write(tmp_path / "two.csv", CHEMBL.replace("INHIBITOR", "ACTIVATOR"))
    read = read_targets(one, two)
    assert actions(read.table)["HDAC1", "DRUG C"] == "unknown"
    assert read.provenance.counts["contradicting_actions_made_unknown"] == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "fit no known drug–target table"),
        ("only one column\n1\n", "one column only"),
        ("a,a\n1,2\n", "a column stands twice"),
        ("target id,Target_Id\n1,2\n", "each column once"),
        ("! a comment\n", "not a well-formed table"),
        ('{"a": 1}\n{"b"\n', "not a well-formed table"),
        ("[1, 2]", "not a well-formed table"),
        ("PAR1 and no more", "not a well-formed table"),
        (CHEMBL.replace("HDAC", "NOSUCH").replace("IL6R", "X"), "names a drug and a known gene"),
    ],
)
def test_bad_files_are_refused(tmp_path, text: str, message: str):
    with pytest.raises(InputError, match=message):
        read_targets(write(tmp_path / "bad", text))


def test_a_truncated_archive_is_refused(tmp_path):
    path = tmp_path / "bad.gz"
    path.write_bytes(gzip.compress(DGIDB_OLD.encode())[:-20])
    with pytest.raises(InputError, match="not a well-formed table"):
        read_targets(path)
    with pytest.raises(InputError, match="No file was given"):
        read_targets()


@pytest.mark.parametrize(
    ("words", "action"),
    [
        ("AXL inhibitor", "inhibitor"),
        ("selective serotonin reuptake inhibitor (SSRI)", "inhibitor"),
        ("ANTISENSE INHIBITOR", "suppressor"),
        ("POSITIVE ALLOSTERIC MODULATOR", "activator"),
        ("NEGATIVE ALLOSTERIC MODULATOR", "inhibitor"),
        ("inverse agonist", "inhibitor"),
        ("partial agonist", "modulator"),
        ("plasminogen activator inhibitor", "inhibitor"),
        ("antibody,inhibitor", "inhibitor"),
        ("antagonist|inhibitor", "antagonist"),
        ("agonist,antagonist", "unknown"),
        ("binder", "binder"),
        ("apoptosis inhibitor", "unknown"),
        ("DNA synthesis inhibitor", "unknown"),
        ("vaccine", "unknown"),
        ("", "unknown"),
    ],
)
def test_actions_are_read_from_the_end_of_the_words(words: str, action: str):
    assert action_of(words) == action


def test_a_statement_is_taken_for_the_gene_it_names():
    assert action_on_gene("proteasome inhibitor|NFkB pathway inhibitor", "PSMB5") == "inhibitor"
    assert action_on_gene("caspase activator", "BCL2") == "unknown"
    assert action_on_gene("serotonin receptor antagonist", "RECQL") == "unknown"
    assert action_on_gene("dopamine receptor agonist|HTR antagonist", "HTR2A") == "antagonist"


@pytest.mark.parametrize(
    ("text", "phase"),
    [
        ("Launched", "approved"),
        ("4.0", "approved"),
        ("Phase 2/Phase 3", "phase 3"),
        ("Phase III", "phase 3"),
        ("phase I/II", "phase 2"),
        ("0.5", "phase 1"),
        ("-1", "unknown"),
        ("Preclinical", "preclinical"),
        ("2020", "unknown"),
        ("", "unknown"),
    ],
)
def test_phases(text: str, phase: str):
    assert phase_of(text) == phase


def test_modalities():
    assert modality_of("Antibody drug conjugate") == "antibody-drug conjugate"
    assert modality_of("Oligosaccharide") == "unknown"


@given(st.text(max_size=40))
def test_any_words_give_a_value_of_the_vocabulary(text: str):
    assert action_of(text) in EFFECT_OF_ACTION
    assert action_on_gene(text, "BCL2") in EFFECT_OF_ACTION
    assert phase_of(text) in set(Phase)


NAMES = st.text(
    st.characters(whitelist_categories=["Lu", "Ll", "Nd"], max_codepoint=0x24F), min_size=1
).filter(lambda name: name.lower() not in ("na", "nan", "none", "null"))


@pytest.mark.slow
@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["BCL2", "JAK1", "KIAA0922", "NOSUCHGENE", ""]),
            NAMES,
            st.sampled_from(["inhibitor", "agonist", "", "vaccine"]),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["\t", ","]),
    st.sampled_from(["utf-8", "utf-8-sig"]),
)
def test_every_known_pair_of_a_file_is_there_once(tmp_path_factory, rows, separator, encoding):
    path = tmp_path_factory.mktemp("targets") / "file"
    header = separator.join(("gene_name", "drug_name", "interaction_type"))
    lines = [separator.join(cells) for cells in rows]
    write(path, "\n".join([header, *lines]) + "\n", encoding)
    known = {"BCL2": "BCL2", "JAK1": "JAK1", "KIAA0922": "TMEM131L"}
    pairs = {(known[gene], drug.casefold()) for gene, drug, _ in rows if gene in known}
    if not pairs:
        with pytest.raises(InputError):
            read_targets(path)
        return
    read = read_targets(path)
    found = list(zip(read.table["gene"], read.table["drug"].str.casefold(), strict=True))
    assert len(found) == len(pairs)
    assert set(found) == pairs


REAL = {
    "ADC-approved.csv": ("antibody-drug conjugates", "CD33", "Gemtuzumab ozogamicin", "depleting"),
    "CAR-T-approved.csv": ("CAR-T cells", "TNFRSF17", "Idecabtagene vicleucel", "depleting"),
    "bispecific-antibodies-approved.csv": (
        "bispecific antibodies",
        "CD19",
        "Blinatumomab",
        "depleting",
    ),
    "maftools_dgidb_drugs.tsv.gz": ("DGIdb interactions", "BCL2", "venetoclax", "antagonist"),
    "repurposing_drugs_20200324.txt": ("Drug Repurposing Hub", "JAK1", "ruxolitinib", "inhibitor"),
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", REAL)
def test_real_tables(shared_data: Path, name: str):
    path = shared_data / "targets" / name
    if not path.is_file():
        pytest.skip(f"{name} is not among the real data")
    layout, gene, drug, action = REAL[name]
    read = read_targets(path)
    (record,) = read.provenance.files
    assert record.layout == layout
    found = read.table[
        (read.table["gene"] == gene) & (read.table["drug"].str.lower() == drug.lower())
    ]
    assert found["action"].tolist() == [action]
    counts = record.counts
    assert counts["rows_kept"] > 0.9 * (
        counts["rows_kept"] + counts["dropped_gene_not_in_reference"]
    )


@pytest.mark.real_data
def test_real_surface_proteins(shared_data: Path):
    path = shared_data / "targets" / "surface-proteins.csv"
    if not path.is_file():
        pytest.skip(f"{path.name} is not among the real data")
    surface = read_surface_proteins(path)
    assert len(surface) > 2500
    assert surface.attrs["dropped"] < 100
