"""Screens on one scale: what a p-value, a replicate, a tail and a drop of essential genes count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from nkpredict.evidence import ScreenTable, combine_screens, standardise_screens
from nkpredict.evidence._standardise import StandardisedScreens, correct_for_fitness

N_GENES = 4000
GENES = [f"G{i}" for i in range(N_GENES)]


def screen(name: str, effect: np.ndarray, p: np.ndarray | float, genes=GENES) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "gene": genes[: len(effect)],
            "screen": name,
            "cell_line": "K562",
            "perturbation": "loss",
            "effector": "primary NK",
            "effect": effect,
            "lfc": effect,
            "p": p,
            "fdr": np.nan,
            "source": "made up",
        }
    )


def from_z(name: str, z: np.ndarray) -> pd.DataFrame:
    """Build a screen whose p-values are those of z; every fold change is large."""
    return screen(name, np.sign(z) + z / 10, 2 * norm.sf(np.abs(z)))


def noise(seed: int, n: int = N_GENES) -> np.ndarray:
    """Normal scores in random order: noise whose quantiles are exact."""
    return np.random.default_rng(seed).permutation(norm.ppf((np.arange(n) + 0.5) / n))


def standardise(*screens: pd.DataFrame) -> StandardisedScreens:
    return standardise_screens(ScreenTable(pd.concat(screens, ignore_index=True)))


def column(standardised: StandardisedScreens, number: int = 0) -> pd.Series:
    return standardised.z.iloc[:, number].reindex(GENES)


def test_z_of_calibrated_p_values_is_their_own() -> None:
    z = noise(1)
    np.testing.assert_allclose(column(standardise(from_z("a", z))), z, atol=0.01)


@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=5, max_size=30), st.integers(0, 9))
def test_z_has_the_sign_of_the_effect_and_the_order_of_p(ps: list[float], seed: int) -> None:
    p = np.array(ps)
    effect = np.random.default_rng(seed).choice([-1.0, 1.0], len(p))
    z = standardise(screen("a", effect, p)).z.iloc[:, 0].reindex(GENES[: len(p)]).to_numpy()
    assert np.isfinite(z).all()
    assert (z * effect >= 0).all()
    assert (np.diff(np.abs(z)[np.argsort(p)]) <= 1e-9).all()


def test_one_screen_cannot_outvote_all_others() -> None:
    z = [noise(seed) for seed in range(12)]
    for values in z:
        values[7] = -3.0
    loud = from_z("loud", z[0])
    loud.loc[7, ["effect", "lfc", "p"]] = 5.0, 5.0, 1e-280
    others = [from_z(f"quiet {i}", values) for i, values in enumerate(z[1:])]
    table = combine_screens(ScreenTable(pd.concat([loud, *others]))).table
    assert table.loc["G7", "evidence"] < 0


def test_the_most_extreme_genes_of_a_screen_count_alike() -> None:
    extreme = from_z("a", noise(1))
    extreme.loc[[3, 4], ["effect", "p"]] = [[5.0, 1e-280], [5.0, 1e-20]]
    extreme["lfc"] = extreme["effect"]
    values = column(standardise(extreme))
    assert values["G3"] == values["G4"] > values.drop(["G3", "G4"]).max()
    # and so without p-values, however far a fold change lies
    far = np.where(np.arange(N_GENES) < 2, [1e6, *np.ones(N_GENES - 1)], 0) + noise(2)
    assert column(standardise(screen("b", far, np.nan))).max() < 6


@pytest.mark.parametrize(
    ("p", "fold_change", "expected"),
    [(5e-5, 1.0, True), (5e-4, 1.0, False), (5e-5, 0.5, False), (5e-5, -1.0, True)],
)
def test_a_hit_has_a_small_p_and_a_large_fold_change(p: float, fold_change: float, expected: bool):
    rows = from_z("a", noise(1))
    rows.loc[7, ["effect", "lfc", "p"]] = fold_change, fold_change, p
    standardised = standardise(rows)
    assert standardised.hits[standardised.z.index.get_loc("G7"), 0] == expected


def test_inflated_p_values_give_smaller_z_and_no_hit() -> None:
    standardised = standardise(from_z("a", 2 * noise(1)))
    assert standardised.notes[0]["inflation"]["a"] == pytest.approx(4, rel=0.1)
    np.testing.assert_allclose(column(standardised), noise(1), atol=0.05)
    assert not standardised.hits.any()


def test_a_hand_picked_list_is_not_taken_for_inflated() -> None:
    chosen = np.where(np.arange(200) % 2, 3.0, -3.0)
    standardised = standardise(from_z("a", chosen))
    assert standardised.notes[0]["inflation"]["a"] == 1
    np.testing.assert_allclose(np.abs(standardised.z.iloc[:, 0]), 3)
    assert standardised.weights[0] == 1


def test_without_p_heavy_tails_make_no_hits() -> None:
    heavy = np.random.default_rng(4).standard_cauchy(N_GENES)
    assert (column(standardise(screen("a", heavy, np.nan))).abs() > 3).mean() < 0.005


def test_without_p_a_few_real_effects_stand_out_no_more_than_their_rank() -> None:
    effect = noise(5)
    effect[:3] = [50, 60, 70]
    values = column(standardise(screen("a", effect, np.nan)))
    assert (values[["G0", "G1", "G2"]] > 3).all()
    assert values.max() < 4  # the largest of 4,000 normal scores is 3.7


def test_more_large_z_than_chance_make_a_screen_weigh_more() -> None:
    signal = noise(2)
    signal[:40] = 4.5
    quiet, strong = standardise(from_z("a", noise(1)), from_z("b", signal)).weights
    assert quiet == pytest.approx(1, abs=0.2)
    assert strong > 1.7


def test_the_best_screen_weighs_a_few_times_the_poorest_not_more() -> None:
    shared = noise(3)
    contrary = noise(12) - 0.3 * noise(11)
    frames = [from_z("poor_r1", noise(11)), from_z("poor_r2", contrary)]
    frames += [from_z(f"good_r{i}", shared + 0.2 * noise(20 + i)) for i in (1, 2)]
    good, poor = standardise(*frames).weights
    assert 3 < good / poor < 5


def test_replicates_are_one_screen_and_their_noise_is_taken_from_the_tails() -> None:
    rng = np.random.default_rng(8)
    wild = rng.permutation(N_GENES) < 200
    frames = [
        from_z(f"a_rep{i}", np.where(wild, 3.5, 0.8) * noise(i) * np.sqrt(0.5)) for i in (1, 2)
    ]
    standardised = standardise(*frames)
    assert list(standardised.z.columns) == ["a"]
    # most genes differ by 0.6 standard deviations; the few that differ much decide
    assert standardised.notes[0]["replicate_noise"] > 1


def test_copies_show_no_noise_and_count_once() -> None:
    z = noise(1)
    standardised = standardise(from_z("a_r1", z), from_z("a_r2", z))
    assert standardised.notes[0]["replicate_noise"] is None
    np.testing.assert_allclose(column(standardised), z, atol=0.01)


def test_replicates_against_other_cells_are_screens_of_their_own() -> None:
    first, second = from_z("a_r1", noise(1)), from_z("a_r2", noise(2))
    second["effector"] = "NK-92"
    standardised = standardise(first, second)
    assert sorted(standardised.effectors) == ["NK-92", "primary NK"]


ESSENTIAL = np.arange(N_GENES) < 100


def shifted(by: float, count: int = 100) -> np.ndarray:
    """Noise whose first genes, the essential ones, lie lower."""
    z = np.concatenate([noise(1, 100), noise(2, N_GENES - 100)])
    z[:count] += by
    return z


def test_essential_genes_that_drop_out_become_the_null_of_their_side() -> None:
    before = shifted(-3.0)
    after, shift = correct_for_fitness(before, ESSENTIAL)
    assert shift == pytest.approx(-3, abs=0.1)
    assert abs(np.median(after[ESSENTIAL])) < 0.1
    assert (np.abs(after) <= np.abs(before)).all()
    np.testing.assert_array_equal(after[before > 0], before[before > 0])
    mirrored, _ = correct_for_fitness(-before, ESSENTIAL)
    np.testing.assert_allclose(mirrored, -after)


def test_a_shift_within_chance_is_not_corrected() -> None:
    # the standard error of the median of 100 values is 0.125
    for by in (0.0, -0.2, 0.2):
        z = shifted(by)
        after, shift = correct_for_fitness(z, ESSENTIAL)
        assert shift is None
        np.testing.assert_array_equal(after, z)
    assert correct_for_fitness(shifted(-0.6), ESSENTIAL)[1] is not None


def test_a_dozen_essential_genes_do_not_judge_a_screen() -> None:
    few = np.arange(N_GENES) < 12
    assert correct_for_fitness(shifted(-3.0, 12), few)[1] is None


def test_what_fitness_explains_is_no_hit() -> None:
    genes = [*(f"RPL{i}" for i in range(3, 40)), *GENES]
    z = noise(1)
    z[:37] = -4.5 + 0.5 * noise(6, 37)
    rows = screen("a", np.sign(z) + z / 10, 2 * norm.sf(np.abs(z)), genes)
    table = ScreenTable(rows)
    named = slice(0, 37)
    corrected, plain = (standardise_screens(table, correct_fitness=on) for on in (True, False))
    at = corrected.z.index.get_indexer(genes[named])
    assert plain.hits[at].sum() > 25
    assert not corrected.hits[at].any()
