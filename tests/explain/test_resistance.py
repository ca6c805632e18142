from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from nkpredict import GeneEvidence, NKSusceptibilityModel
from nkpredict.errors import InputError
from nkpredict.evidence import gene_evidence
from nkpredict.explain import driver_scores, explain, resistance_genes
from nkpredict.facts import EvidenceFacts
from nkpredict.learn import ChanceSkillWarning
from nkpredict.simulate import plant_response
from nkpredict.simulate._biology import NK_GENES
from nkpredict.vocabulary import EvidenceRole, GeneReading

PARTS = pd.DataFrame(
    {
        "HLA-E": [-0.30, -0.10, -0.20],
        "CD58": [-0.05, 0.02, -0.01],
        "ULBP1": [0.10, 0.10, 0.10],
        "TP53": [0.0, 0.0, 0.0],
        "MICA": [-0.20, 0.30, 0.20],
    },
    index=["a", "b", "c"],
)
EFFECT = np.array([-0.2, 0.05, 0.1, 0.0, 0.1])


def cohort(samples: int = 12, genes: int = 30, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        rng.normal(0, 1, (samples, genes)) * rng.gamma(1, 0.1, genes),
        columns=[f"G{i}" for i in range(genes)],
    )


def test_genes_that_lower_the_samples_against_the_reference_are_ranked() -> None:
    table = resistance_genes(PARTS, EFFECT)
    # MICA lowers a sample and raises the mean: it holds nothing back
    assert table["gene"].tolist() == ["HLA-E", "CD58"]
    assert set(table["reading"]) == {"against the reference"}
    assert table["direction"].tolist() == ["protects", "sensitizes"]
    assert table["lowest_contribution"].tolist() == [-0.30, -0.05]
    assert table["samples_resisting"].tolist() == [1, 2 / 3]
    assert table["clear"].tolist() == [True, False]
    np.testing.assert_allclose(table["standard_error"], PARTS[["HLA-E", "CD58"]].sem())
    assert set(table["evidence_reading"]) == {"no evidence"}
    single = resistance_genes(PARTS, EFFECT, reading=GeneReading.SINGLE_SAMPLES)
    assert single["gene"].tolist() == ["HLA-E", "MICA", "CD58"]


@pytest.mark.parametrize("seed", range(5))
def test_no_gene_that_raises_the_cohort_is_said_to_lower_it(seed: int) -> None:
    parts = cohort(seed=seed)
    table = resistance_genes(parts, np.ones(parts.shape[1]))
    assert (table["mean_contribution"] < 0).all()
    assert set(table["gene"]) == set(parts.columns[parts.mean() < 0])
    alone = resistance_genes(parts.iloc[[3]], np.ones(parts.shape[1]))
    assert set(alone["gene"]) == set(parts.columns[parts.iloc[3] < 0])
    assert alone["clear"].all()


def test_separating_genes_are_those_of_the_lowest_third() -> None:
    parts = cohort()
    least = parts.sum(axis=1).nsmallest(4).index
    table = resistance_genes(
        parts, np.ones(parts.shape[1]), reading=GeneReading.SEPARATING
    ).set_index("gene")
    low, others = parts.loc[least].mean(), parts.drop(least).mean()
    assert set(table.index) == set(parts.columns[low < others])
    np.testing.assert_allclose(table["mean_least_susceptible"], low[table.index])
    np.testing.assert_allclose(table["mean_others"], others[table.index])
    share = (others - low) / (others - low).sum()
    np.testing.assert_allclose(table["share_of_difference"], share[table.index])
    assert table["score"].is_monotonic_decreasing


def test_few_samples_and_unknown_words_are_refused() -> None:
    with pytest.raises(InputError, match="Found 3 samples; genes that separate samples need 6"):
        resistance_genes(PARTS, EFFECT, reading=GeneReading.SEPARATING)
    with pytest.raises(InputError, match="reading 'worst' is not known"):
        resistance_genes(PARTS, EFFECT, reading="worst")
    with pytest.raises(InputError, match="role of evidence 'proof' is not known"):
        resistance_genes(PARTS, EFFECT, role="proof")


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (EvidenceRole.INDEPENDENT, ["agrees", "conflicts"]),
        (
            EvidenceRole.USED_IN_TRAINING,
            ["agrees, used in training", "conflicts, though used in training"],
        ),
        # what a score was built from cannot agree with it
        (EvidenceRole.SOLE_SOURCE, ["taken from published experiments", "conflicts"]),
    ],
)
def test_what_agreement_is_worth_depends_on_the_role_of_the_evidence(
    evidence_of, role: str, expected: list[str]
) -> None:
    evidence = evidence_of({"HLA-E": -0.8, "CD58": -0.4})
    table = resistance_genes(PARTS, EFFECT, evidence, role=role)
    assert table["evidence_reading"].tolist() == expected


def test_evidence_is_told_with_its_line_and_killer_cells(evidence_of) -> None:
    known = resistance_genes(PARTS, EFFECT, gene_evidence()).set_index("gene")
    assert "K562" in known.loc["HLA-E", "evidence_lines"].split("; ")
    assert "primary NK" in known.loc["HLA-E", "evidence_effectors"]
    bare = resistance_genes(PARTS, EFFECT, evidence_of({"HLA-E": -0.8}))
    assert set(bare["evidence_lines"]) == {""}
    told = evidence_of({"HLA-E": -0.8})
    told = GeneEvidence(told.table.assign(lines="MM1S; K562", effectors="KHYG-1"))
    own = resistance_genes(PARTS, EFFECT, told).set_index("gene")
    assert own.loc["HLA-E", ["evidence_lines", "evidence_effectors"]].tolist() == [
        "MM1S; K562",
        "KHYG-1",
    ]
    assert own.loc["CD58", "evidence_lines"] == ""


def test_one_sample_reads_like_in_its_cohort() -> None:
    alone = resistance_genes(PARTS.loc[["a"]], EFFECT)
    assert alone["gene"].tolist() == ["HLA-E", "MICA", "CD58"]
    assert alone["direction"].tolist() == ["protects", "sensitizes", "sensitizes"]


def test_drivers_promote_and_demote_no_gene() -> None:
    parts = cohort()
    effect = np.where(np.arange(parts.shape[1]) % 2, 1.0, -1.0)
    bare = resistance_genes(parts, effect).set_index("gene")["score"]
    some = list(bare.index[::3])
    drivers = pd.DataFrame({"gene": some, "probability": 0.9, "effect": 1.0})
    table = resistance_genes(parts, effect, drivers=drivers).set_index("gene")
    factor = table["score"] / bare[table.index]
    same = table["driver_effect"] * effect[parts.columns.get_indexer(table.index)] > 0
    np.testing.assert_allclose(factor, np.where(same, 1.9, 1.0))
    assert table.loc[~table.index.isin(some), "driver_probability"].isna().all()


def planted_ranks(seed: int) -> pd.DataFrame:
    """Ranks of SIMULATED planted genes that the model uses, without and with drivers."""
    rng = np.random.default_rng(seed)
    genes = [*sorted(NK_GENES), *(f"GENE{i}" for i in range(200))]
    shared = rng.normal(size=(90, 12)) @ rng.normal(size=(12, len(genes))) / 4
    expression = pd.DataFrame(
        shared + rng.normal(size=(90, len(genes))),
        columns=genes,
        index=[f"SIM-{i}" for i in range(90)],
    )
    lineage = np.repeat(["AML", "BCL", "MM"], 30)
    planted = plant_response(expression, lineage, random_state=seed)
    evidence = GeneEvidence(planted.evidence("true"), EvidenceFacts(simulated=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ChanceSkillWarning)
        model = NKSusceptibilityModel(evidence).fit(expression, planted.susceptibility)
    drivers = driver_scores(
        model.harmonised(expression), planted.susceptibility, evidence, lineage, steps=800
    )
    parts = explain(model, expression).contributions
    ranks = {}
    # a bundle keeps the probable ones alone
    for name, given in (("without", None), ("with", drivers[drivers["probability"] >= 0.01])):
        table = resistance_genes(
            parts, model.effect_, evidence, given, reading=GeneReading.SEPARATING
        )
        ranks[name] = pd.Series(np.arange(1, len(table) + 1), index=table["gene"])
    used = pd.Series(np.abs(model.effect_) > 0, index=model.feature_names_in_)
    table = pd.DataFrame(ranks)
    return table[table.index.isin(planted.drivers.index) & used[table.index]]


@pytest.mark.slow
def test_planted_genes_do_not_fall_behind_for_the_drivers() -> None:
    ranks = pd.concat([planted_ranks(seed) for seed in range(4)])
    fallen = ranks["with"] - ranks["without"]
    assert len(fallen) >= 60
    assert fallen.mean() <= 0
    assert fallen.max() <= 5
