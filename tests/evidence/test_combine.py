from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from nkpredict.errors import InputError
from nkpredict.evidence import (
    CORE_ESSENTIAL,
    METHODS,
    GeneEvidence,
    ScreenTable,
    combine_by_effector,
    combine_screens,
)
from nkpredict.evidence._combine import confidence_from_fdr

N_GENES = 2000


def screen(
    name: str,
    planted: dict[str, tuple[float, float]] | None = None,
    *,
    seed: int = 0,
    perturbation: str = "loss",
    effector: str = "primary NK",
    with_p: bool = True,
) -> pd.DataFrame:
    """Null screen over G0..G1999; ``planted`` sets (effect, p) of genes."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "gene": [f"G{i}" for i in range(N_GENES)],
            "effect": rng.normal(0, 0.3, N_GENES),
            "p": rng.uniform(0.001, 1, N_GENES),
        }
    )
    for gene, (effect, p) in (planted or {}).items():
        rows.loc[rows["gene"] == gene, ["effect", "p"]] = effect, p
    return rows.assign(
        screen=name,
        cell_line="K562",
        perturbation=perturbation,
        effector=effector,
        lfc=-rows["effect"] if perturbation == "gain" else rows["effect"],
        p=rows["p"] if with_p else np.nan,
        fdr=np.nan,
        source="made up",
    )


def combine(*screens: pd.DataFrame) -> GeneEvidence:
    return combine_screens(ScreenTable(pd.concat(screens, ignore_index=True)))


def test_the_bulk_of_genes_has_no_evidence():
    evidence = combine(*(screen(f"s{i}", seed=i) for i in range(4)))
    assert (evidence.table["evidence"] == 0).mean() > 0.995


@pytest.mark.parametrize(("effect", "sign"), [(0.8, 1), (-0.8, -1)])
@pytest.mark.parametrize("perturbation", ["loss", "gain"])
def test_a_hit_of_one_screen_among_many_counts(effect, sign, perturbation):
    hit = screen("s0", {"G7": (effect, 9e-5)}, perturbation=perturbation)
    evidence = combine(hit, *(screen(f"s{i}", seed=i) for i in range(1, 12)))
    # it counts, and less than what several screens agree on
    assert 0.2 < sign * evidence.for_genes(["G7"])[0] < 0.5


def test_the_study_rule_needs_a_large_fold_change_too():
    evidence = combine(
        screen("s0", {"G7": (0.5, 9e-5)}), *(screen(f"s{i}", seed=i) for i in range(1, 12))
    )
    assert abs(evidence.for_genes(["G7"])[0]) < 0.1


def test_agreeing_loss_and_gain_screens_make_evidence_certain():
    planted = {"G3": (0.6, 1e-4), "G4": (-0.6, 1e-4)}
    evidence = combine(
        screen("a", planted, seed=1),
        screen("b", planted, seed=2, perturbation="gain"),
        screen("c", planted, seed=3),
    )
    sensitizing, protecting = evidence.for_genes(["G3", "G4"])
    assert sensitizing > 0.95
    assert protecting < -0.95
    assert evidence.table.loc[["G3", "G4"], "agreement"].eq(1).all()
    assert evidence.table.loc[["G3", "G4"], "n_screens"].eq(3).all()


def test_contradicting_effector_types_are_flagged_and_halved():
    evidence = combine(
        screen("a", {"G3": (-2.0, 1e-10), "G4": (-2.0, 1e-10)}, seed=1),
        screen("b", {"G3": (1.0, 1e-6), "G4": (-1.0, 1e-6)}, seed=2, effector="NK-92"),
    )
    disputed, agreed = evidence.table.loc["G3"], evidence.table.loc["G4"]
    assert disputed["conflict"]
    assert not agreed["conflict"]
    assert disputed["evidence"] < 0
    assert 0.3 < disputed["confidence"] < 0.7
    assert agreed["confidence"] == pytest.approx(1.0)


def test_weak_effector_types_contradict_each_other_only_when_both_are_significant():
    clear, faint = (2 * norm.sf(z) for z in (3.5, 3.0))
    table = combine(
        screen("a", {"G3": (-1.0, clear), "G4": (-1.0, faint)}, seed=1),
        screen("b", {"G3": (1.0, clear), "G4": (1.0, faint)}, seed=2, effector="NK-92"),
    ).table
    assert table.loc["G3", "conflict"]
    assert not table.loc["G4", "conflict"]
    assert table.loc[["G3", "G4"], "evidence"].eq(0).all()


def test_unknown_effectors_contradict_nobody():
    evidence = combine(
        screen("a", {"G3": (-2.0, 1e-10)}, seed=1),
        screen("b", {"G3": (1.0, 1e-6)}, seed=2, effector="unknown"),
    )
    assert not evidence.table["conflict"].any()


@pytest.mark.parametrize(
    ("effector", "left_out"),
    [
        ("CAR-T", True),
        ("CART cells", True),
        ("CTL", True),
        ("OT-I", True),
        ("Pmel-1", True),
        ("T lymphocytes", True),
        ("CD8+ T cells", True),
        ("CAR-NK", False),
        ("primary NK", False),
        ("NK-92", False),
        ("unknown", False),
    ],
)
def test_t_cells_are_known_by_all_their_names(effector: str, left_out: bool):
    screens = screen("x", seed=2, effector=effector)
    evidence = combine(screen("a", seed=1), screens)
    assert evidence.provenance.left_out_effector_is_t_cell == (("x",) if left_out else ())


def test_t_cell_screens_are_left_out():
    t_cell = screen("t", {"G3": (2.0, 1e-12)}, seed=2, effector="T cell")
    evidence = combine(screen("a", seed=1), t_cell)
    assert evidence.for_genes(["G3"])[0] == 0
    assert evidence.provenance.left_out_effector_is_t_cell == ("t",)
    with pytest.raises(InputError, match="All screens are against T cells"):
        combine(t_cell)


def test_screens_without_p_count_when_they_agree_but_not_alone():
    planted = {"G3": (5.0, 0.5)}
    one = combine(screen("a", planted, seed=1, with_p=False))
    assert one.for_genes(["G3"])[0] == 0
    three = combine(*(screen(f"s{i}", planted, seed=i, with_p=False) for i in range(4)))
    assert three.for_genes(["G3"])[0] > 0.5


def test_inflated_p_values_are_brought_down():
    inflated = screen("a", seed=1)
    z = np.random.default_rng(5).normal(0, 2, N_GENES)
    inflated = inflated.assign(p=2 * norm.sf(np.abs(z)))
    evidence = combine(inflated)
    assert (evidence.table["evidence"] != 0).mean() < 0.005
    assert evidence.provenance.screens[0].inflation["a"] == pytest.approx(4, rel=0.2)


def test_replicates_count_once_and_weigh_by_their_correlation():
    first, noise = screen("a_r1", seed=1), screen("a_r2", seed=2)
    alike = first.assign(screen="a_r2")
    good = combine(first, alike, screen("b", seed=3)).provenance.screens[0]
    poor = combine(first, noise, screen("b", seed=3)).provenance.screens[0]
    assert good.experiment == poor.experiment == "a"
    assert good.replicate_correlation == pytest.approx(1)
    assert good.weight > poor.weight
    # the same result twice is no second witness
    table = combine(first, alike).table
    single = combine(first).table
    np.testing.assert_allclose(table["evidence"], single["evidence"], atol=1e-12)
    assert table["n_screens"].eq(1).all()


def test_p_of_zero_is_a_small_p():
    evidence = combine(screen("a", {"G3": (1.0, 0.0), "G4": (-1.0, 1e-9)}))
    assert evidence.for_genes(["G3"])[0] > 0.9


def test_order_of_rows_does_not_matter():
    rows = pd.concat([screen("a", {"G3": (1.0, 1e-7)}, seed=1), screen("b", seed=2)])
    shuffled = rows.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(combine(rows).table, combine(shuffled).table)


def test_confidence_falls_smoothly_from_one_to_zero():
    fdr = np.array([0, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.25, 1])
    confidence = confidence_from_fdr(fdr)
    np.testing.assert_allclose(confidence[[0, 1, -2, -1]], [1, 1, 0, 0])
    assert (np.diff(confidence[1:-1]) < 0).all()


@settings(max_examples=30)
@given(
    effects=st.lists(st.lists(st.floats(-5, 5), min_size=4, max_size=4), min_size=1, max_size=4),
    ps=st.lists(st.floats(0, 1), min_size=16, max_size=16),
    gained=st.booleans(),
)
@example(effects=[[0.0, 0.0, 3.0, 2.2250738585072014e-308]], ps=[0.0] * 16, gained=False)
def test_contract_holds_for_any_screens(effects, ps, gained):
    frames = []
    for number, values in enumerate(effects):
        lfc = -np.array(values) if gained else np.array(values)
        frames.append(
            pd.DataFrame(
                {
                    "gene": ["A", "B", "C", "D"],
                    "screen": f"s{number}",
                    "cell_line": "K562",
                    "perturbation": "gain" if gained else "loss",
                    "effector": "primary NK",
                    "effect": values,
                    "lfc": lfc,
                    "p": ps[4 * number : 4 * number + 4],
                    "fdr": np.nan,
                    "source": "made up",
                }
            )
        )
    table = combine(*frames).table
    assert table["evidence"].between(-1, 1).all()
    assert table["confidence"].between(0, 1).all()
    assert table["agreement"].between(0, 1).all()
    np.testing.assert_allclose(table["evidence"].abs(), table["confidence"])
    signs = np.sign(np.array(effects))
    for position, gene in enumerate("ABCD"):
        if len(set(signs[:, position])) == 1:  # all screens agree, so must the evidence
            assert np.sign(table.loc[gene, "evidence"]) in (0, signs[0, position])


@pytest.fixture
def evidence() -> GeneEvidence:
    planted = {"G3": (1.0, 1e-9), "G4": (-1.0, 1e-9), "G5": (0.9, 5e-5)}
    return combine(screen("SIM-a", planted, seed=1), screen("SIM-b", planted, seed=2))


def test_unknown_genes_have_no_evidence(evidence):
    values = evidence.for_genes(["NOWHERE", "G4", "G3"])
    assert values.dtype == np.float64
    np.testing.assert_array_equal(np.sign(values), [0, -1, 1])


def test_shuffling_keeps_the_values_and_is_reproducible(evidence):
    shuffled = evidence.shuffled(3)
    assert sorted(shuffled.table["evidence"]) == sorted(evidence.table["evidence"])
    assert list(shuffled.table.index) == list(evidence.table.index)
    assert not shuffled.table["evidence"].equals(evidence.table["evidence"])
    pd.testing.assert_frame_equal(shuffled.table, evidence.shuffled(3).table)
    assert shuffled.provenance.shuffled_with_seed == 3


def test_json_round_trip_keeps_every_gene_with_evidence(evidence):
    content = json.loads(json.dumps(evidence.to_json_dict(), allow_nan=False))
    restored = GeneEvidence.from_json_dict(content)
    genes = list(evidence.table.index)
    np.testing.assert_array_equal(restored.for_genes(genes), evidence.for_genes(genes))
    assert len(restored.table) == (evidence.table["evidence"] != 0).sum() < 50
    assert restored.to_json_dict() == content
    assert restored.simulated
    assert "SIMULATED" in repr(restored)


def test_empty_evidence_survives_json():
    content = combine(screen("a", seed=1)).to_json_dict()
    content["genes"] = {}
    assert GeneEvidence.from_json_dict(content).for_genes(["B2M"]).tolist() == [0.0]


@pytest.mark.parametrize(
    "content", [{}, {"genes": [], "provenance": {}}, {"genes": {"A": {"evidence": 1}}}]
)
def test_altered_json_is_refused(content):
    with pytest.raises(InputError):
        GeneEvidence.from_json_dict(content)


@pytest.mark.parametrize(
    ("column", "value"), [("evidence", 1.5), ("confidence", -0.1), ("agreement", np.nan)]
)
def test_values_outside_their_range_are_refused(evidence, column, value):
    with pytest.raises(InputError, match=column):
        GeneEvidence(evidence.table.assign(**{column: value}))


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_keeps_the_contract(method):
    planted = {"G3": (0.9, 1e-9), "G4": (-0.9, 1e-9)}
    frames = [screen(f"s{i}", planted, seed=i) for i in range(4)]
    evidence = combine_screens(ScreenTable(pd.concat(frames, ignore_index=True)), method)
    assert evidence.for_genes(["G3"])[0] > 0.5
    assert evidence.for_genes(["G4"])[0] < -0.5
    assert method in evidence.provenance.method
    assert evidence.table["heterogeneity"].between(0, 1).all()
    assert (evidence.table["evidence"] != 0).sum() < 10


def test_an_unknown_method_is_refused():
    with pytest.raises(InputError, match="'mean' is not known"):
        combine_screens(ScreenTable(screen("a")), "mean")


def test_effector_types_can_be_looked_at_apart():
    rows = pd.concat(
        [
            screen("a", {"G3": (-2.0, 1e-10)}, seed=1),
            screen("b", {"G3": (1.0, 1e-9)}, seed=2, effector="NK-92"),
            screen("t", seed=3, effector="T cell"),
        ]
    )
    apart = combine_by_effector(ScreenTable(rows))
    assert list(apart) == ["NK-92", "primary NK"]
    assert apart["NK-92"].for_genes(["G3"])[0] > 0.9
    assert apart["primary NK"].for_genes(["G3"])[0] < -0.9


def test_a_screen_without_p_can_contradict_a_gene_with_evidence():
    primary = {"G3": (-2.0, 1e-10), "G4": (-2.0, 1e-10)}
    other = screen("b", {"G3": (0.9, 0.5)}, seed=2, effector="NK-92", with_p=False)
    table = combine(screen("a", primary, seed=1), other).table
    assert table.loc["G3", "conflict"]
    assert not table.loc["G4", "conflict"]
    assert -0.7 < table.loc["G3", "evidence"] < -0.3
    assert table["conflict"].sum() == 1


ESSENTIAL = [f"RPL{n}" for n in range(3, 20)] + [f"PSMD{n}" for n in range(1, 15)]
ESSENTIAL += [f"RPS{n}" for n in range(5, 15)]


def fitness_screen(shift: float) -> pd.DataFrame:
    """Screen without p in which essential genes, and some that no family lists, drop out."""
    rows = screen("a", seed=4, with_p=False)
    rows.loc[: len(ESSENTIAL) - 1, "gene"] = ESSENTIAL
    rows.loc[: len(ESSENTIAL) + 30, ["effect", "lfc"]] += shift
    return rows


def test_essential_genes_do_not_lead_a_screen_they_confound():
    confounded = ScreenTable(fitness_screen(-3.0))
    before = combine_screens(confounded, correct_fitness=False).table["score"]
    after = combine_screens(confounded).table["score"]
    assert before[ESSENTIAL].median() < -2
    assert after[ESSENTIAL].median() > -0.7
    assert after["G60"] > -1  # dropped out too, in no family
    # the other side is as it was
    np.testing.assert_allclose(after[before > 0], before[before > 0])
    shifts = combine_screens(confounded).provenance.screens[0].core_essential_shift
    assert shifts["a"] < -1


def test_a_screen_that_fitness_does_not_confound_stays_as_it_is():
    clean = ScreenTable(fitness_screen(0.0))
    pd.testing.assert_frame_equal(
        combine_screens(clean).table, combine_screens(clean, correct_fitness=False).table
    )


def test_families_of_essential_genes_hold_no_immune_gene_or_paralogue():
    named = ["RPL13A", "RPS4X", "RPLP0", "PSMB5", "SF3B1", "POLR2B", "EIF3A"]
    assert all(CORE_ESSENTIAL.match(gene) for gene in named)
    others = ["PSMB8", "PSMB9", "PSMB10", "PSME1", "RPL3L", "RPS6KA1", "RPS4Y1", "POLR3H", "B2M"]
    assert not any(CORE_ESSENTIAL.match(gene) for gene in others)


def test_replicates_show_their_own_noise():
    rng = np.random.default_rng(6)
    shared = rng.normal(size=N_GENES)
    frames = []
    for name in ("a_r1", "a_r2"):
        z = 0.8 * (0.5 * shared + rng.normal(size=N_GENES) * np.sqrt(0.75))
        frames.append(screen(name).assign(effect=z, lfc=z, p=2 * norm.sf(np.abs(z))))
    note = combine(*frames).provenance.screens[0]
    assert note.replicate_correlation == pytest.approx(0.25, abs=0.06)
    assert note.replicate_noise == pytest.approx(0.8, rel=0.1)
