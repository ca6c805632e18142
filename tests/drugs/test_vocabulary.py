from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from nkpredict.drugs import read_targets
from nkpredict.drugs._vocabulary import GENE_GROUP_COLUMNS, action_on_gene, gene_groups
from nkpredict.io import approved_symbols

GROUPS = gene_groups()


def plain(text: str) -> str:
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.lower().replace(chr(39), '')))} "


def test_every_gene_group_keeps_its_contract():
    assert tuple(GROUPS.columns) == GENE_GROUP_COLUMNS
    assert len(GROUPS) >= 300
    assert not GROUPS["group"].duplicated().any()
    assert (GROUPS["group"].str.strip() != "").all()
    words = GROUPS["words"].str.split("|").explode().map(plain)
    assert not words.duplicated().any()
    assert (words.str.strip() != "").all()
    for genes in GROUPS["genes"].str.split("|"):
        assert set(genes) <= approved_symbols()
        assert genes == sorted(set(genes))


def test_every_gene_group_has_its_source():
    source = r"HGNC (?:gene groups?|approved names?)(?:; .+)?"
    assert GROUPS["source"].str.fullmatch(source).all()
    assert GROUPS["hgnc_group"].str.fullmatch(r"(?:\d+(?:\|\d+)*)?").all()
    numbered = GROUPS[GROUPS["hgnc_group"] != ""]
    assert numbered["source"].str.startswith("HGNC gene group").all()
    assert dict(zip(GROUPS["group"], GROUPS["hgnc_group"], strict=True))["Carbonic anhydrases"] == (
        "460"
    )


def test_every_word_of_a_group_names_its_genes_and_no_others():
    beginnings = pd.Series(sorted(approved_symbols()))
    beginnings = beginnings.groupby(beginnings.str[:3]).apply(set)
    for row in GROUPS.itertuples():
        genes = set(row.genes.split("|"))
        alike = set().union(*(beginnings[gene[:3]] for gene in genes if gene[:3] in beginnings))
        for word in row.words.split("|"):
            found = {
                gene
                for gene in genes | alike
                if action_on_gene(f"{word} inhibitor", gene) != "unknown"
            }
            # a word may be the symbol of no other gene
            assert found == genes, word


@pytest.mark.parametrize(
    ("mechanism", "hit", "action", "spared"),
    [
        ("carbonic anhydrase inhibitor", "CA2 CA9 CA12 CA14", "inhibitor", "CASP8 CALR CALM1 CAT"),
        ("androgen receptor antagonist", "AR", "antagonist", "ARID1A ARF1 ARAF"),
        ("angiotensin converting enzyme inhibitor", "ACE ACE2", "inhibitor", "ACER1 ACHE"),
        ("ACE inhibitor", "ACE", "inhibitor", "ACER1 ACHE"),
        ("RAR agonist", "RARA RARB RARG", "agonist", "RARRES1 RARS1"),
        ("retinoid receptor agonist", "RARA RXRG", "agonist", "RARRES1"),
        ("TNF inhibitor", "TNF", "inhibitor", "TNFRSF10B TNFSF10 TNFAIP3"),
        ("tumor necrosis factor inhibitor", "TNF", "inhibitor", "TNFRSF10B TNFRSF1A"),
        ("tumor necrosis factor receptor antagonist", "TNFRSF1A", "antagonist", "TNF TNFRSF10B"),
        ("estrogen receptor agonist", "ESR1 ESR2", "agonist", "ESRRA ESRP1"),
        ("p38 MAPK inhibitor", "MAPK14", "inhibitor", "MAPK1 MAP3K8"),
        ("MAPK-interacting kinase inhibitor", "MKNK1", "inhibitor", "MAPK1 MAP3K8"),
        ("calcium/calmodulin dependent protein kinase inhibitor", "CAMK2A", "inhibitor", "CALM1"),
        ("hypoxia inducible factor prolyl hydroxylase inhibitor", "EGLN1", "inhibitor", "HIF1A"),
        ("bacterial DNA topoisomerase inhibitor", "", "inhibitor", "TOP1 TOP2A"),
        ("AXL inhibitor", "AXL", "inhibitor", "AXIN1"),
        ("AXL kinase inhibitor", "AXL", "inhibitor", "MERTK"),
        ("ALK tyrosine kinase receptor inhibitor", "ALK", "inhibitor", "ALKBH1"),
        ("Bruton's tyrosine kinase (BTK) inhibitor", "BTK", "inhibitor", "BTLA"),
        ("selective serotonin reuptake inhibitor (SSRI)", "SLC6A4", "inhibitor", "SLC6A2 HTR2A"),
        ("like (NRF2) activator", "NFE2L2", "activator", "NFE2"),
        ("GABA receptor positive allosteric modulator", "GABRA1", "activator", "GABARAP"),
        ("acetylcholine receptor allosteric modulator", "CHRM4", "modulator", "ACHE"),
        ("NFkB pathway inhibitor", "", "inhibitor", "NFKB1 NFKBIA RELA"),
    ],
)
def test_genes_are_named_by_whole_words(mechanism: str, hit: str, action: str, spared: str):
    assert {action_on_gene(mechanism, gene) for gene in hit.split()} <= {action}
    assert {action_on_gene(mechanism, gene) for gene in spared.split()} == {"unknown"}


def test_the_issue_of_a_prefix_is_gone_in_a_table(tmp_path: Path):
    path = tmp_path / "hub.txt"
    path.write_text(
        "pert_iname\tclinical_phase\tmoa\ttarget\n"
        "acetazolamide\tLaunched\tcarbonic anhydrase inhibitor\tCA2|CA4|CASP8|CALR\n"
        "bicalutamide\tLaunched\tandrogen receptor antagonist\tAR|ARID1A\n"
        # an old symbol is approved before its group is looked up
        "riociguat\tLaunched\tguanylate cyclase activator\tGUCY1A3\n"
    )
    table = read_targets(path).table.set_index(["drug", "gene"])["action"]
    assert table.to_dict() == {
        ("acetazolamide", "CA2"): "inhibitor",
        ("acetazolamide", "CA4"): "inhibitor",
        ("acetazolamide", "CASP8"): "unknown",
        ("acetazolamide", "CALR"): "unknown",
        ("bicalutamide", "AR"): "antagonist",
        ("bicalutamide", "ARID1A"): "unknown",
        ("riociguat", "GUCY1A1"): "activator",
    }


@pytest.mark.real_data
def test_in_the_hub_no_gene_has_an_action_without_being_named(shared_data: Path):
    path = shared_data / "targets" / "repurposing_drugs_20200324.txt"
    if not path.is_file():
        pytest.skip(f"{path.name} is not among the real data")
    names: dict[str, set[str]] = {}
    for row in GROUPS.itertuples():
        for gene in row.genes.split("|"):
            names.setdefault(gene, {plain(gene)}).update(map(plain, row.words.split("|")))
    table = read_targets(path).table
    known = table[table["action"] != "unknown"]
    assert len(known) > 6000
    for gene, mechanism in zip(known["gene"], known["note"], strict=True):
        statements = [plain(statement) for statement in mechanism.split("|")]
        assert any(
            name in statement for name in names.get(gene, {plain(gene)}) for statement in statements
        ), (gene, mechanism)
