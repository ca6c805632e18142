"""The sampler of drivers finds the probabilities that going through every set of genes gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import norm, qmc

from nkpredict.explain import driver_scores

GENES = 10
DRAWS = 512
# The prior that `driver_scores` states for what it learns beside the genes: centre and spread of
# the logarithm, of the logit for trust; the push is half normal.
PRIOR = {
    "noise": (np.log(0.4), 1.0),
    "background": (np.log(0.2), 1.0),
    "known": (np.log(0.015), 1.0),
    "other": (np.log(0.02), 0.5),
    "trust": (-1.0, 1.5),
    "others": (np.log(15.0), 0.25),
    "push": (0.0, 0.3),
}


def drawn_settings() -> dict[str, np.ndarray]:
    uniform = qmc.Sobol(len(PRIOR), seed=0).random(DRAWS)
    normal = norm.ppf(np.clip(uniform, 1e-9, 1 - 1e-9))
    drawn = {
        name: centre + spread * normal[:, number]
        for number, (name, (centre, spread)) in enumerate(PRIOR.items())
    }
    return drawn | {"push": np.abs(drawn["push"])}


def exact_probabilities(
    standard: np.ndarray, response: np.ndarray, signed: np.ndarray
) -> np.ndarray:
    """Go through all 2¹⁰ sets of genes, the settings drawn from their prior.

    The covariance is noise + genes × diagonal × genes, so that all is worked out among ten genes
    by the lemmas of Woodbury and of the determinant.
    """
    samples = len(response)
    products, pull, square = standard.T @ standard, standard.T @ response, response @ response
    drawn, known = drawn_settings(), signed != 0
    sets = (np.arange(2**GENES)[:, None] >> np.arange(GENES)) & 1
    joint = np.empty((DRAWS, len(sets)))
    for draw in range(DRAWS):
        one = {name: values[draw] for name, values in drawn.items()}
        noise = np.exp(one["noise"])
        slab = np.where(known, np.exp(one["known"]), np.exp(one["other"]))
        variance = np.exp(one["background"]) / GENES + slab * sets
        mean = one["push"] * np.sign(signed) * sets
        inner = products / noise + np.eye(GENES) / variance[:, :, None]
        left = (pull - mean @ products) / noise
        explained = (left * np.linalg.solve(inner, left[:, :, None])[:, :, 0]).sum(axis=1)
        residual = square - 2 * mean @ pull + ((mean @ products) * mean).sum(axis=1)
        determinant = (
            samples * np.log(noise) + np.linalg.slogdet(inner)[1] + np.log(variance).sum(axis=1)
        )
        others = min(0.5, np.exp(one["others"]) / GENES)
        share = others + np.abs(signed) * max(expit(one["trust"]) - others, 0.0)
        prior = np.where(sets, np.log(share), np.log1p(-share)).sum(axis=1)
        joint[draw] = prior - 0.5 * (determinant + residual / noise - explained)
    posterior = np.exp(logsumexp(joint, axis=0) - logsumexp(joint))
    return posterior @ sets


@pytest.mark.slow
@pytest.mark.parametrize("known", [False, True], ids=["no evidence", "evidence"])
def test_probabilities_are_those_of_all_sets_of_ten_genes(known: bool) -> None:
    rng = np.random.default_rng(3)
    profiles = pd.DataFrame(
        rng.normal(size=(30, GENES)) + 0.7 * rng.normal(size=(30, 1)),
        columns=[f"G{number}" for number in range(GENES)],
    )
    effect = np.array([0.8, -0.6, 0.4, 0.2, 0, 0, 0, 0, 0, 0])
    response = profiles.to_numpy() @ effect + rng.normal(0, 0.8, 30)
    signed = np.array([0.9, -0.5, 0, 0, 0.7, 0, -0.4, 0, 0, 0]) * known
    table = driver_scores(profiles, response, signed if known else None, steps=10_000)
    sampled = table.set_index("gene").loc[profiles.columns, "probability"].to_numpy()
    standard = ((profiles - profiles.mean()) / profiles.std(ddof=0)).to_numpy()
    scaled = (response - response.mean()) / response.std()
    exact = exact_probabilities(standard, scaled, signed)
    assert np.ptp(exact) > 0.2
    np.testing.assert_allclose(sampled, exact, atol=0.05)
