"""One judgement a gene: from experiments, published hits and screens, with effectors in view."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from nkpredict import GeneEvidence, ScreenTable, gene_evidence
from nkpredict.errors import InputError
from nkpredict.evidence import combine_screens, known_experiments, known_hits
from nkpredict.facts import CombinationFacts, KnowledgeFacts
from nkpredict.io import approved_symbols

GENES = [g for g in sorted(approved_symbols()) if g[:3] not in ("HLA", "MUC")][:600]


@pytest.fixture(scope="module")
def known() -> GeneEvidence:
    return gene_evidence()


def screen(name: str, special: dict[str, tuple[float, float]], **columns: str) -> pd.DataFrame:
    """Build a null screen with the effect and p of some genes."""
    rng = np.random.default_rng(len(name))
    genes = [*(g for g in GENES if g not in special), *special]
    n = len(genes) - len(special)
    lfc = np.r_[rng.normal(0, 0.2, n), [effect for effect, _ in special.values()]]
    p = np.r_[rng.uniform(0.001, 1, n), [own for _, own in special.values()]]
    described = {"cell_line": "LINE1", "effector": "primary NK", "source": "own"} | columns
    table = pd.DataFrame({"gene": genes, "screen": name, "lfc": lfc, "effect": lfc, "p": p})
    return table.assign(perturbation="loss", fdr=np.nan, **described)


def test_every_gene_with_a_direction_is_judged_once(known: GeneEvidence) -> None:
    hits = known_hits()
    named = {*known_experiments()["gene"], *hits.loc[hits["direction"] != "unknown", "gene"]}
    assert set(known.table.index) == named
    assert known.table.index.is_unique
    np.testing.assert_allclose(known.table["evidence"].abs(), known.table["confidence"])


def test_confidence_follows_p() -> None:
    hits = known_hits()
    zhuang = hits[(hits["study"] == "Zhuang 2019") & (hits["direction"] != "unknown")]
    only_screened = zhuang[~zhuang["gene"].isin(known_experiments()["gene"])]
    # one source each, so confidence is that of the published p
    others = set(
        hits.loc[(hits["study"] != "Zhuang 2019") & (hits["direction"] != "unknown"), "gene"]
    )
    alone = only_screened[~only_screened["gene"].isin(others)]
    confidence = gene_evidence().table["confidence"]
    weak = alone.loc[alone["significance"] > 0.03, "gene"]
    assert len(weak)
    assert confidence["IFNGR2"] > 0.9
    assert confidence[weak].max() < 0.4 < confidence["IFNGR2"]


@pytest.mark.parametrize(("gene", "sign"), [("NCR3LG1", 1), ("B2M", -1), ("HLA-E", -1)])
@pytest.mark.parametrize("with_screens", [False, True])
def test_known_genes_keep_their_sign_beside_screens(
    gene: str, sign: int, with_screens: bool
) -> None:
    given = None
    if with_screens:
        own = {"NCR3LG1": (1.0, 1e-3), "B2M": (-0.9, 1e-3), "HLA-E": (-0.6, 0.01)}
        given = ScreenTable(screen("zhuang2019_K562", own, source="Zhuang 2019", cell_line="K562"))
        assert combine_screens(given).table.loc[gene, "evidence"] == 0  # no finding by itself
    assert gene_evidence(given).table.loc[gene, "evidence"] * sign > 0.5


def test_screens_alone_move_a_known_gene_but_not_one_of_the_whole_genome() -> None:
    modest = {"MICA": (1.0, 2e-3), "ZNF142": (1.0, 2e-3)}
    table = gene_evidence(ScreenTable(screen("mine", modest))).table
    assert table.loc["MICA", "evidence"] > 0.5
    assert table.loc["ZNF142", "evidence"] == 0


def test_the_effector_asked_for_decides_a_contradiction() -> None:
    primary, other = (gene_evidence(effector=e).table.loc["JAK1"] for e in (None, "NK-92"))
    assert primary["evidence"] < 0 < other["evidence"]
    assert primary["conflict"]
    assert other["conflict"]
    assert other["effectors"] == "NK-92"


def test_a_finding_of_the_screens_given_outweighs_a_hit_of_other_effectors() -> None:
    # by the false discovery rate among all genes it is nothing; NK-92 says the opposite
    own = {"IFNGR2": (-0.9, 3e-5)}
    name = "zhuang2019_K562_primaryNK"
    row = gene_evidence(ScreenTable(screen(name, own, effector="primary NK"))).table.loc["IFNGR2"]
    assert row["evidence"] < -0.2
    assert row["conflict"]


def test_other_effectors_count_less(known: GeneEvidence) -> None:
    asked = gene_evidence(effector="NK-92").table["confidence"]
    by_default, effectors = known.table["confidence"], known.table["effectors"]
    agreed = known.table["sources"].eq(1) & ~known.table["conflict"]
    other = agreed & effectors.eq("NK-92")
    own = agreed & effectors.eq("primary NK")
    assert other.any()
    assert own.any()
    assert (asked[other] > by_default[other]).all()
    assert (asked[own] < by_default[own]).all()


@pytest.mark.parametrize("name", ["primary NK", "primary-NK", "Primary_nk"])
def test_effectors_go_by_any_spelling(name: str, known: GeneEvidence) -> None:
    pd.testing.assert_frame_equal(gene_evidence(effector=name).table, known.table)


def test_an_unknown_effector_is_refused() -> None:
    with pytest.raises(InputError, match="'T cell' is unknown; expected one of primary NK"):
        gene_evidence(effector="T cell")


def test_nothing_to_judge_by_is_refused() -> None:
    with pytest.raises(InputError, match="Neither screens nor knowledge"):
        gene_evidence(knowledge=False)


def test_genes_that_make_a_line_speak_softly(known: GeneEvidence) -> None:
    assert "MYB" in known.provenance.this_line_only
    assert 0 < known.table.loc["MYB", "confidence"] < 0.25
    assert known.table.loc["MYB", "lines"] == "K562"


def test_a_study_given_in_full_is_not_counted_twice() -> None:
    hits, tested = known_hits(), set(known_experiments()["gene"])
    directed = hits[(hits["direction"] != "unknown") & ~hits["gene"].isin({*tested, *GENES})]
    others = set(directed.loc[directed["study"] != "Zhuang 2019", "gene"])
    alone = sorted(set(directed["gene"]) - others)  # known by a hit of Zhuang only
    first, *rest = alone
    assert rest
    own = {first: (-3.0, 1e-12)}
    given = gene_evidence(ScreenTable(screen("zhuang2019_K562_primaryNK", own)))
    assert given.provenance.hits_left_out == ("Zhuang 2019",)
    assert given.table.loc[first, "sources"] == 1
    assert not set(rest) & set(given.table.index)
    other = gene_evidence(ScreenTable(screen("mine", own)))
    assert other.provenance.hits_left_out == ()
    assert other.table.loc[first, "sources"] == 2
    assert set(rest) <= set(other.table.index)


def test_without_knowledge_screens_speak_as_they_were_combined() -> None:
    screens = ScreenTable(screen("mine", {"MICA": (3.0, 1e-12), "JAK1": (-3.0, 1e-9)}))
    alone, combined = gene_evidence(screens, knowledge=False), combine_screens(screens)
    pd.testing.assert_frame_equal(
        alone.table[list(combined.table.columns)], combined.table, check_dtype=False
    )
    assert isinstance(alone.provenance, CombinationFacts)
    assert alone.provenance.knowledge_left_out == "it was asked to be left out"


def test_simulated_screens_never_mix_with_knowledge() -> None:
    evidence = gene_evidence(ScreenTable(screen("SIM-1", {"MICA": (3.0, 1e-12)})))
    assert evidence.simulated
    assert evidence.provenance.knowledge_left_out == "the screens are simulated"
    assert evidence.table.loc["MICA", "evidence"] > 0
    assert "B2M" not in evidence.table.index or evidence.table.loc["B2M", "evidence"] == 0


def test_the_provenance_names_studies_and_holds_hits_against_chance(known: GeneEvidence) -> None:
    facts = known.provenance
    assert isinstance(facts, KnowledgeFacts)
    assert all(doi.startswith("10.") for doi in facts.studies.values())
    assert {"Zhuang 2019", "Pech 2019"} <= set(facts.studies)
    (zhuang,) = (c for c in facts.chance if c.study == "Zhuang 2019")
    assert zhuang.directions == 20
    assert zhuang.found < 25 < 75 < zhuang.genes
    assert zhuang.expected == pytest.approx(0.05 * zhuang.genes)
    assert f"{zhuang.found} have p < 0.05, where chance alone gives 4" in zhuang.sentence()


def test_a_judgement_comes_back_from_json(known: GeneEvidence) -> None:
    content = json.loads(json.dumps(known.to_json_dict()))
    restored = GeneEvidence.from_json_dict(content)
    assert restored.provenance == known.provenance
    expected = known.table[known.table["evidence"] != 0]
    pd.testing.assert_frame_equal(restored.table, expected, check_dtype=False)
