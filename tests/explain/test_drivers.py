from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict.errors import InputError
from nkpredict.explain import driver_scores


@pytest.fixture(scope="module")
def planted():
    """Nine drivers among 300 genes; six of them and six decoys have evidence."""
    rng = np.random.default_rng(0)
    genes = [f"G{i:03d}" for i in range(300)]
    profiles = pd.DataFrame(rng.normal(size=(120, 300)), columns=genes)
    profiles.index = [f"S{i}" for i in range(120)]
    sign = np.tile([1.0, -1.0, 1.0], 3)
    target = profiles.iloc[:, :9] @ sign + rng.normal(0, 1.2, 120)
    evidence = np.zeros(300)
    evidence[:6] = 0.7 * sign[:6]
    evidence[100:106] = np.tile([0.7, -0.7], 3)
    return profiles, target, evidence, sign


@pytest.mark.slow
def test_drivers_come_before_decoys_with_their_sign(planted):
    profiles, target, evidence, sign = planted
    table = driver_scores(profiles, target, evidence, steps=1000)
    assert sorted(table["gene"]) == list(profiles.columns)
    assert table["probability"].is_monotonic_decreasing
    assert table["probability"].between(0, 1).all()
    assert table["fdr"].is_monotonic_increasing
    by_gene = table.set_index("gene").loc[profiles.columns]
    known, decoys, unknown = range(6), range(100, 106), range(6, 9)
    probability = by_gene["probability"].to_numpy()
    assert probability[list(known)].min() > probability[list(decoys)].max()
    assert np.median(probability[list(unknown)]) > np.median(probability[200:])
    np.testing.assert_array_equal(np.sign(by_gene["effect"].to_numpy()[:9]), sign)


@pytest.mark.slow
def test_evidence_helps_and_wrong_evidence_is_not_trusted(planted):
    profiles, target, evidence, _ = planted
    few = profiles.index[:45]
    runs = {
        name: driver_scores(profiles.loc[few], target[few], given, steps=1500).set_index("gene")
        for name, given in (
            ("right", evidence),
            ("none", None),
            ("wrong", np.roll(evidence, 150)),
        )
    }
    known = profiles.columns[:6]
    mean = {name: run.loc[known, "probability"].mean() for name, run in runs.items()}
    assert mean["right"] > mean["none"] + 0.1
    assert mean["wrong"] > mean["none"] - 0.2


def test_chains_seeds_and_progress(planted):
    profiles, target, evidence, _ = planted
    steps = []
    first = driver_scores(
        profiles, target, evidence, steps=100, progress=lambda stage, *done: steps.append(done)
    )
    assert steps == [(1, 2), (2, 2)]
    again = driver_scores(profiles, target, evidence, steps=100)
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert (first["chain_difference"] >= 0).all()
    other = driver_scores(profiles, target, evidence, steps=100, random_state=1)
    assert not other["probability"].equals(first["probability"])


def test_a_lineage_effect_is_not_laid_on_its_marker():
    rng = np.random.default_rng(1)
    lineage = np.repeat(["a", "b", "c"], 30)
    profiles = pd.DataFrame(rng.normal(size=(90, 50)), columns=[f"G{i}" for i in range(50)])
    profiles["G0"] += 2.0 * (lineage == "a")
    target = 2.0 * (lineage == "a") + profiles["G1"] + rng.normal(0, 0.5, 90)
    plain = driver_scores(profiles, target, steps=600).set_index("gene")["probability"]
    adjusted = driver_scores(profiles, target, groups=lineage, steps=600)
    adjusted = adjusted.set_index("gene")["probability"]
    assert adjusted["G0"] < plain["G0"]
    assert adjusted["G1"] > 0.9


def test_missing_values_constant_genes_and_many_genes():
    rng = np.random.default_rng(2)
    profiles = pd.DataFrame(rng.normal(size=(30, 3200)))
    profiles.columns = [f"G{i}" for i in range(3200)]
    target = profiles["G7"] * 2 + rng.normal(0, 0.3, 30)
    profiles.iloc[::5, 3] = np.nan
    profiles["G4"] = 1.0
    profiles["G5"] = np.nan
    table = driver_scores(profiles, target, steps=50, chains=1)
    assert len(table) == 3200
    assert table["gene"][0] == "G7"
    assert np.isfinite(table[["probability", "effect", "fdr"]]).all(axis=None)
    assert table.set_index("gene").loc[["G4", "G5"], "effect"].abs().max() < 1e-12


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"samples": 9}, "Found 9 samples"),
        ({"constant": True}, "same for all samples"),
        ({"steps": 5}, "10 steps"),
        ({"chains": 0}, "0 chains"),
    ],
)
def test_errors(planted, change, sentence):
    profiles, target, _, _ = planted
    part = profiles.iloc[: change.pop("samples", 50)]
    response = target[part.index] * (0 if change.pop("constant", False) else 1)
    with pytest.raises(InputError, match=sentence):
        driver_scores(part, response, **change)
