from __future__ import annotations

import pytest

from nkpredict.io import approve_gene_names
from nkpredict.io._genes import recognised_share


@pytest.mark.parametrize(
    ("given", "approved"),
    [
        ("B7H6", "NCR3LG1"),
        ("KIAA0922", "TMEM131L"),
        ("PVRL2", "NECTIN2"),
        ("HLA.A", "HLA-A"),
        ("7-Mar", "MARCHF7"),
        ("Sep-02", "SEPTIN2"),
        ("15-Sep", "SELENOF"),
        ("1-Dec", "DELEC1"),
        ("ENSG00000141510", "TP53"),
        ("ENSG00000141510.18", "TP53"),
        ("TP53 (7157)", "TP53"),
        (" TP53 ", "TP53"),
    ],
)
def test_names_are_brought_up_to_date(given: str, approved: str) -> None:
    assert approve_gene_names([given]).approved == (approved,)


def test_ambiguous_aliases_are_left_alone_and_reported() -> None:
    outcome = approve_gene_names(["GBA", "TP53"])
    assert outcome.approved == ("GBA", "TP53")
    assert outcome.ambiguous == ("GBA",)
    assert outcome.renamed == {}


def test_unknown_symbols_stay_and_unknown_ensembl_ids_do_not() -> None:
    outcome = approve_gene_names(["NOTAGENE", "ENSG99999999999", "ENSG00000141510_PAR_Y"])
    assert outcome.approved == ("NOTAGENE", "", "")
    assert set(outcome.unknown) >= {"NOTAGENE", "ENSG99999999999"}
    assert outcome.kind == "Ensembl id"


def test_share_of_recognised_names() -> None:
    assert recognised_share(["TP53", "P4", "ENSG00000141510.1", "patient 7"]) == 0.5
    assert recognised_share([]) == 0
