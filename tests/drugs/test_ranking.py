from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict.drugs import (
    ABOVE,
    BELOW_CONTRARY,
    BELOW_HARMS,
    CONTRARY,
    HIT,
    REACHABLE,
    UNCLEAR,
    TargetTable,
    druggable_targets,
    drugs_in_words,
    known_targets,
    rank_drugs,
    rank_drugs_by_sample,
)
from nkpredict.errors import InputError
from nkpredict.explain import explain_scores, resistance_genes
from nkpredict.scoring import score

EXAMPLE = Path(__file__).parents[2] / "data" / "examples" / "chiaretti_all.parquet"
SILENCED = ["MICA", "MICB", "ULBP1", "ULBP2", "ULBP3", "CD58"]
EPIGENETIC = ["vorinostat", "entinostat", "romidepsin", "decitabine", "azacitidine", "GSK126"]


def genes(**directions: str) -> pd.DataFrame:
    names = [name.replace("_", "-") for name in directions]
    return pd.DataFrame(
        {
            "gene": names,
            "direction": list(directions.values()),
            "mean_contribution": -np.linspace(1, 0.5, len(names)),
        }
    )


def match_of(pairs: pd.DataFrame, gene: str, drug: str) -> str:
    found = pairs[(pairs["gene"] == gene) & (pairs["drug"] == drug)]
    assert len(found) == 1
    return str(found["match"].iloc[0])


def test_monalizumab_hits_a_protecting_hla_e():
    pairs = druggable_targets(genes(HLA_E="protects"))
    assert match_of(pairs, "HLA-E", "monalizumab") == HIT
    assert match_of(pairs, "HLA-E", "interferon gamma-1b") == CONTRARY
    assert pairs["drug"].iloc[0] == "monalizumab"
    assert set(pairs["antibody_reachable"]) == {"yes"}


@pytest.mark.parametrize("gene", SILENCED)
def test_de_repressing_drugs_hit_silenced_ligands(gene: str):
    pairs = druggable_targets(genes(**{gene: "sensitizes"}))
    silencers = pairs[pairs["drug"].isin([*EPIGENETIC, "tazemetostat"])]
    assert len(silencers)
    assert set(silencers["match"]) == {HIT}
    assert set(silencers["action"]) == {"inducer"}
    # the same drugs are wrong where the ligand protects
    turned = druggable_targets(genes(**{gene: "protects"}))
    assert set(turned.loc[turned["drug"].isin(EPIGENETIC), "match"]) <= {CONTRARY}


def test_hdac_inhibitors_lower_b7_h6_which_is_a_warning():
    pairs = druggable_targets(genes(NCR3LG1="sensitizes"))
    assert set(pairs["match"]) == {CONTRARY}
    assert rank_drugs(pairs).empty


def test_a_contrary_action_is_never_a_hit():
    every = known_targets().table["gene"].unique()
    for direction, contrary in (("protects", "raises"), ("sensitizes", "lowers")):
        pairs = druggable_targets(genes(**dict.fromkeys(every, direction)))
        turned = pairs["effect_on_gene"] == contrary
        assert (pairs.loc[turned, "match"] == CONTRARY).all()
        assert (pairs.loc[turned, "rank_score"] <= 0).all()
        assert (pairs.loc[pairs["match"] == CONTRARY, "effect_on_gene"] == contrary).all()


def test_an_unclear_direction_gives_no_hit():
    pairs = druggable_targets(genes(BCL2="unclear", CD38="unclear"))
    assert set(pairs["match"]) == {UNCLEAR}
    assert set(pairs["rank_score"]) == {0.0}


def test_liabilities_are_carried_and_what_harms_gains_nothing():
    pairs = druggable_targets(genes(BCL2="protects", JAK1="protects", NR3C1="sensitizes"))
    by_drug = pairs.drop_duplicates("drug").set_index("drug")
    assert by_drug["nk_liability"]["venetoclax"] == "mixed"
    assert by_drug["nk_liability_source"]["venetoclax"].startswith("10.1084/jem.20160869")
    assert set(by_drug["nk_liability"][["ruxolitinib", "dexamethasone", "prednisone"]]) == {"harms"}
    assert by_drug["weight"]["venetoclax"] == pytest.approx(0.7)
    assert by_drug["weight"]["ruxolitinib"] == 0
    assert set(pairs.loc[pairs["nk_liability"] == "harms", "listed"]) == {BELOW_HARMS}


def test_killing_the_carrying_cells_is_a_match_of_its_own():
    pairs = druggable_targets(genes(CD38="protects"))
    assert match_of(pairs, "CD38", "daratumumab") == REACHABLE
    low = druggable_targets(genes(CD38="sensitizes"))
    assert match_of(low, "CD38", "daratumumab") == UNCLEAR
    assert low["reason"].str.contains("low where samples resist").all()
    assert rank_drugs(pairs)["n_hits"].tolist() == [0, 0]
    assert set(rank_drugs(pairs)["genes_reachable"]) == {"CD38"}


def test_a_drug_that_frees_an_activating_receptor_is_unclear():
    pairs = druggable_targets(genes(PVR="sensitizes"))
    assert match_of(pairs, "PVR", "tiragolumab") == UNCLEAR
    assert match_of(pairs, "PVR", "NTX-1088") == CONTRARY
    assert match_of(pairs, "PVR", "lenalidomide") == HIT


def test_a_score_goes_before_the_mean_contribution():
    table = genes(BCL2="protects", HLA_E="protects").assign(score=[0.1, 0.4])
    pairs = druggable_targets(table)
    scores = pairs.drop_duplicates("gene").set_index("gene")["gene_score"]
    assert scores.to_dict() == {"HLA-E": 1.0, "BCL2": 0.25}


def test_evidence_is_handed_on_from_resistance_genes():
    parts = pd.DataFrame({"HLA-E": [-0.3, -0.1], "MICA": [-0.1, 0.0]}, index=["a", "b"])
    ranked = resistance_genes(parts, np.array([-0.2, 0.1]))
    pairs = druggable_targets(ranked)
    assert {"samples_resisting", "evidence", "evidence_reading"} <= set(pairs.columns)
    assert match_of(pairs, "HLA-E", "monalizumab") == match_of(pairs, "MICA", "decitabine") == HIT


def test_drugs_of_a_cohort_gain_by_hits_and_lose_by_warnings():
    ranked = rank_drugs(druggable_targets(genes(MICA="sensitizes", NCR3LG1="sensitizes")))
    entinostat = ranked.set_index("drug").loc["entinostat"]
    assert (entinostat["genes_hit"], entinostat["genes_contrary"]) == ("MICA", "NCR3LG1")
    assert entinostat["score"] == pytest.approx(0.6 * 1.0 - 0.6 * 0.5)
    assert ranked.loc[ranked["listed"] == ABOVE, "score"].is_monotonic_decreasing
    assert ranked["drug"].is_unique


def test_drugs_of_a_sample_follow_its_own_genes():
    pairs = druggable_targets(genes(HLA_E="protects", MICA="sensitizes", NCR3LG1="sensitizes"))
    parts = pd.DataFrame(
        [[-0.3, 0.0, 0.0], [0.0, -0.2, -0.3], [0.1, 0.1, 0.1]],
        index=["a", "b", "c"],
        columns=["HLA-E", "MICA", "NCR3LG1"],
    )
    ranked = rank_drugs_by_sample(pairs, parts, top=50)
    ranked = ranked[ranked["listed"] == ABOVE]
    first = ranked[ranked["rank"] == 1].set_index("sample")
    assert first["drug"].to_dict() == {"a": "monalizumab", "b": "lenalidomide"}
    assert first["score"]["a"] == pytest.approx(0.3 * 0.72)
    assert set(ranked.loc[ranked["sample"] == "a", "genes"]) == {"HLA-E"}
    assert (ranked["score"] > 0).all()
    # entinostat raises MICA but lowers B7-H6, which costs sample b more
    assert "entinostat" not in set(ranked["drug"])


def test_what_harms_nk_cells_stands_below_the_line_in_an_order_of_its_own():
    ranked = rank_drugs(druggable_targets(genes(HLA_C="protects", JAK1="protects")))
    above = ranked["listed"] == ABOVE
    assert ranked.loc[above, "drug"].tolist() == ["lirilumab"]
    below = ranked[~above]
    assert {"bortezomib", "carfilzomib", "ruxolitinib"} <= set(below["drug"])
    assert set(below["listed"]) == {BELOW_HARMS}
    assert (below["score"] <= 0).all()
    assert below["score_without_liability"].is_monotonic_decreasing
    assert below["rank"].tolist() == list(range(1, len(below) + 1))
    said = drugs_in_words(ranked)
    assert said.startswith("1 drug acts against these genes.")
    assert said.endswith(f"because they harm NK cells: {len(below)}.")


def test_a_cytotoxic_drug_of_unknown_effect_stands_behind_all_others():
    # RUNX1 weighs most, but nothing is known of its inhibitors and NK cells
    pairs = druggable_targets(genes(RUNX1="protects", MICA="sensitizes"))
    ranked = rank_drugs(pairs)
    above = ranked[ranked["listed"] == ABOVE]
    unknown = (above["nk_liability"] == "unknown") & (above["cytotoxic"] == "yes")
    assert {"AI-10-91", "Chb-M'"} <= set(above.loc[unknown, "drug"])
    assert unknown.is_monotonic_increasing
    assert above.loc[~unknown, "score"].is_monotonic_decreasing
    assert above.loc[unknown, "score"].max() > above.loc[~unknown, "score"].min()
    parts = pd.DataFrame({"RUNX1": [-0.9], "MICA": [-0.1]}, index=["a"])
    by_sample = rank_drugs_by_sample(pairs, parts, top=50)
    drugs = by_sample.loc[by_sample["listed"] == ABOVE, "drug"].tolist()
    assert drugs[-2:] == ["AI-10-91", "Chb-M'"]


def test_no_drug_found_is_an_answer_when_all_harm_nk_cells():
    pairs = druggable_targets(genes(PSMB5="protects", PSMB8="protects"))
    ranked = rank_drugs(pairs)
    assert set(ranked["listed"]) == {BELOW_HARMS}
    assert drugs_in_words(ranked) == (
        "No drug found: none listed acts against these genes and leaves NK cells unharmed. "
        "Below the line, because they harm NK cells: 3."
    )
    parts = pd.DataFrame({"PSMB5": [-0.2, 0.1], "PSMB8": [0.0, 0.1]}, index=["a", "b"])
    by_sample = rank_drugs_by_sample(pairs, parts)
    assert set(by_sample["sample"]) == {"a"}
    assert set(by_sample["listed"]) == {BELOW_HARMS}
    assert set(by_sample["drug"]) == {"bortezomib", "carfilzomib", "ixazomib"}


def test_contrary_actions_that_outweigh_the_hits_put_a_drug_below_the_line():
    ranked = rank_drugs(druggable_targets(genes(NCR3LG1="sensitizes", MICA="sensitizes")))
    entinostat = ranked.set_index("drug").loc["entinostat"]
    assert entinostat["listed"] == BELOW_CONTRARY
    assert entinostat["score"] < 0
    assert ranked.loc[ranked["listed"] == ABOVE, "score"].min() > 0


@pytest.mark.parametrize(
    ("directions", "drugs"),
    [
        (
            {"FAS": "sensitizes", "TNFRSF10A": "sensitizes", "TNFRSF10B": "sensitizes"},
            "APO010 aponermin conatumumab dulanermin eftozanermin_alfa lexatumumab mapatumumab "
            "ozekibart aplitabart",
        ),
        (
            {"BCL2": "protects", "BCL2L1": "protects", "MCL1": "protects", "BID": "sensitizes"},
            "venetoclax navitoclax pelcitoclax lisaftoclax sonrotoclax AZD5991 S64315 DT2216",
        ),
        ({"BAX": "sensitizes"}, "BTSA1"),
    ],
)
def test_agonists_of_death_receptors_and_bh3_mimetics_are_never_contrary(directions, drugs):
    pairs = druggable_targets(genes(**directions))
    named = pairs[pairs["drug"].isin([name.replace("_", " ") for name in drugs.split()])]
    assert named["drug"].nunique() == len(drugs.split())
    assert CONTRARY not in set(named["match"])
    assert set(named.loc[named["action"] != "modulator", "match"]) == {HIT}


@pytest.mark.parametrize("gene", ["CASP3", "CASP8"])
def test_an_inhibitor_of_caspases_that_sensitize_is_a_warning(gene: str):
    pairs = druggable_targets(genes(**{gene: "sensitizes"}))
    assert match_of(pairs, gene, "emricasan") == CONTRARY
    assert "emricasan" not in set(rank_drugs(pairs)["drug"])


def test_no_inhibitor_of_a_sensitizing_gene_is_a_hit():
    every = known_targets().table["gene"].unique()
    pairs = druggable_targets(genes(**{name.replace("-", "_"): "sensitizes" for name in every}))
    lowering = pairs[pairs["effect_on_gene"] == "lowers"]
    assert len(lowering) > 200
    assert set(lowering["match"]) == {CONTRARY}
    assert ABOVE not in set(lowering["listed"])


@pytest.mark.slow
def test_no_patient_of_the_example_has_a_drug_above_the_line_that_harms_nk_cells():
    scores = explain_scores(score(EXAMPLE))
    assert len(scores.table) == 128
    for table in (scores.sample_drugs, scores.drugs, scores.targets):
        above = table[table["listed"] == ABOVE]
        assert len(above)
        assert "harms" not in set(above["nk_liability"])
        assert set(table.loc[table["nk_liability"] == "harms", "listed"]) == {BELOW_HARMS}
        unknown = (above["nk_liability"] == "unknown") & (above["cytotoxic"] == "yes")
        mixed = above["nk_liability"] == "mixed"
        by = above["sample"] if "sample" in above else pd.Series("all", above.index)
        for _, rows in above.assign(unknown=unknown, mixed=mixed).groupby(by, sort=False):
            assert not rows.loc[rows["unknown"].cummax(), "mixed"].any()
    # a drug stands in one of the two lists of a patient
    assert not scores.sample_drugs.duplicated(["sample", "drug"]).any()
    assert not scores.sample_drugs.duplicated(["sample", "listed", "rank"]).any()


def test_no_target_gives_empty_tables():
    pairs = druggable_targets(genes(KLF16="protects"))
    assert pairs.empty
    assert rank_drugs(pairs).empty
    assert drugs_in_words(rank_drugs(pairs)).startswith("No drug found")
    parts = pd.DataFrame({"KLF16": [-1.0]}, index=["a"])
    assert rank_drugs_by_sample(pairs, parts).empty
    assert druggable_targets(genes().assign(gene=[], direction=[])).empty


def test_other_tables_and_surface_marks_can_be_given():
    own = known_targets().table
    own = own[(own["gene"] == "BCL2") & (own["drug"] == "venetoclax")]
    surface = pd.DataFrame({"gene": ["BCL2"], "surface": ["yes"]})
    pairs = druggable_targets(genes(BCL2="protects"), TargetTable(own), surface)
    assert pairs[["drug", "antibody_reachable"]].to_numpy().tolist() == [["venetoclax", "yes"]]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (genes(BCL2="protects").drop(columns="direction"), "lacks the columns direction"),
        (genes(BCL2="lowers"), "the direction lowers"),
        (genes(BCL2="protects").assign(score=-1.0), "impossible score for 1 genes"),
        (genes(BCL2="protects").assign(mean_contribution=np.nan), "impossible mean_contribution"),
        (pd.concat([genes(BCL2="protects")] * 2), "more than once"),
    ],
)
def test_bad_resistance_genes_are_refused(table: pd.DataFrame, message: str):
    with pytest.raises(InputError, match=message):
        druggable_targets(table)


def test_bad_contributions_are_refused():
    pairs = druggable_targets(genes(BCL2="protects"))
    parts = pd.DataFrame({"BCL2": [-1.0, -1.0]}, index=["a", "a"])
    with pytest.raises(InputError, match="samples more than once"):
        rank_drugs_by_sample(pairs, parts)
    with pytest.raises(InputError, match="top is 0"):
        rank_drugs_by_sample(pairs, parts, top=0)
    with pytest.raises(InputError, match="lacks the columns"):
        rank_drugs(pairs.drop(columns="match"))
