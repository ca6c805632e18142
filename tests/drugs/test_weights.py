"""What each fact about a drug is worth in the ranking, one fact changed at a time."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest

from nkpredict.drugs import TargetTable, druggable_targets, rank_drugs, rank_drugs_by_sample
from nkpredict.drugs._table import TARGET_COLUMNS

BEST = {
    "gene": "JAK1",
    "drug": "drug",
    "modality": "small molecule",
    "action": "inhibitor",
    "effect_on_gene": "lowers",
    "relation": "direct",
    "highest_phase": "approved",
    "nk_liability": "spares",
    "nk_liability_source": "10.1000/made.up",
    "cytotoxic": "yes",
    "measured_with_nk_cells": "no",
    "source": "10.1000/made.up",
}
CONTRARY = {"action": "agonist", "effect_on_gene": "raises"}
DEPLETING = {"modality": "antibody", "action": "depleting", "effect_on_gene": "none"}
GENES = pd.DataFrame({"gene": ["JAK1"], "direction": ["protects"], "score": [1.0]})


def pairs(*changes: dict[str, str], genes: pd.DataFrame = GENES) -> pd.DataFrame:
    """One drug for each change of the best possible one, named by its number."""
    rows = [
        {**dict.fromkeys(TARGET_COLUMNS, ""), **BEST, "drug": f"drug {i}", **change}
        for i, change in enumerate(changes)
    ]
    for row in rows:
        if row["nk_liability"] == "unknown":
            row["nk_liability_source"] = ""
    return druggable_targets(genes, TargetTable(pd.DataFrame(rows, columns=list(TARGET_COLUMNS))))


def scores(*changes: dict[str, str]) -> list[float]:
    found = pairs(*changes).set_index("drug")["rank_score"]
    return [float(found[f"drug {i}"]) for i in range(len(changes))]


def test_killing_the_carrying_cells_counts_clearly_less_than_meeting_the_gene() -> None:
    hit, reachable, contrary = scores({}, DEPLETING, CONTRARY)
    assert 0.25 * hit < reachable < 0.75 * hit
    # a hit and a contrary action of the same drug cancel out, a reachable protein remains behind
    assert contrary == -hit


def test_an_early_hit_goes_before_an_approved_drug_that_only_reaches_the_cells() -> None:
    early, reachable = scores({"highest_phase": "phase 2"}, DEPLETING)
    assert early > reachable
    preclinical, reachable = scores({"highest_phase": "preclinical"}, DEPLETING)
    assert reachable > preclinical


@pytest.mark.parametrize(
    ("column", "ladder", "least"),
    [
        (
            "highest_phase",
            ["approved", "phase 3", "phase 2", "phase 1", "preclinical"],
            0.1,
        ),
        ("nk_liability", ["spares", "mixed", "unknown"], 0.5),
        ("relation", ["direct", "partner", "expression"], 0.4),
    ],
)
def test_each_step_down_costs_rank_and_none_costs_all(column, ladder, least) -> None:
    values = scores(*({column: value} for value in ladder))
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)
    assert values[0] == 1
    assert least < values[-1]
    # no single step decides alone
    assert all(after > 0.45 * before for before, after in pairwise(values))


def test_what_is_not_known_is_taken_for_neither_the_best_nor_worse_than_the_worst() -> None:
    best, unknown_phase, preclinical = scores(
        {}, {"highest_phase": "unknown"}, {"highest_phase": "preclinical"}
    )
    assert best > unknown_phase == preclinical
    unknown, mixed, harms = scores(
        {"nk_liability": "unknown"}, {"nk_liability": "mixed"}, {"nk_liability": "harms"}
    )
    assert best > mixed > unknown > harms == 0
    unknown, expression = scores({"relation": "unknown"}, {"relation": "expression"})
    assert unknown == expression
    helps, spares = scores({"nk_liability": "helps"}, {"nk_liability": "spares"})
    assert helps == spares


@pytest.mark.parametrize("cytotoxic", ["yes", "unknown"])
def test_unknown_is_never_better_than_mixed_unless_the_class_is_not_cytotoxic(cytotoxic) -> None:
    unknown, mixed, other = scores(
        {"nk_liability": "unknown", "cytotoxic": cytotoxic},
        {"nk_liability": "mixed", "cytotoxic": cytotoxic},
        {"nk_liability": "unknown", "cytotoxic": "no"},
    )
    assert unknown < mixed < other < 1


@pytest.mark.parametrize("liability", ["helps", "spares", "mixed", "unknown", "harms"])
def test_what_a_drug_does_to_nk_cells_makes_a_contrary_action_no_better(liability) -> None:
    contrary, plain = scores({**CONTRARY, "nk_liability": liability}, CONTRARY)
    assert contrary == plain == -1


def test_a_contrary_action_takes_away_what_a_hit_gives() -> None:
    genes = pd.DataFrame(
        {"gene": ["JAK1", "CD38"], "direction": ["protects", "protects"], "score": [1.0, 1.0]}
    )
    table = pairs(
        {"drug": "both"},
        {"drug": "both", "gene": "CD38", **CONTRARY},
        {"drug": "hit", "highest_phase": "phase 1"},
        {"drug": "reaches", "gene": "CD38", **DEPLETING},
        genes=genes,
    )
    ranked = rank_drugs(table).set_index("drug")["score"]
    assert ranked["both"] == 0
    assert ranked["reaches"] > ranked["hit"] > 0
    parts = pd.DataFrame({"JAK1": [-1.0, -1.0], "CD38": [-1.0, 0.0]}, index=["a", "b"])
    best = rank_drugs_by_sample(table, parts).query("rank == 1").set_index("sample")["drug"]
    assert best.to_dict() == {"a": "reaches", "b": "both"}
