"""Which genes drive the response: Bayesian sparse regression with screens as the prior."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.explain._coregulation import standardised
from nkpredict.explain._spike_slab import Problem, one_gene_each, sample_posterior
from nkpredict.features import Profiles, ProfilesLike
from nkpredict.learn import Evidence, signed_evidence
from nkpredict.threads import one_thread
from nkpredict.types import FloatArray, Progress

MINIMUM_SAMPLES = 10
"""Fewer say nothing about so many genes; set by hand."""
CANDIDATES = 3000
"""Genes that enter the sampler; the others keep their one-gene probability. Set by hand, for
time."""


def driver_scores(
    profiles: ProfilesLike,
    target: Any,
    evidence: Evidence = None,
    groups: Any = None,
    *,
    steps: int = 3000,
    chains: int = 2,
    random_state: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Say for each gene how probable it is that it drives the response, given all others.

    Spike-and-slab regression: a gene has either no effect or one drawn from a normal
    distribution; a small effect of all genes together (a random effect with the covariance of
    the profiles) and of the lineage is allowed for besides, as in Zhou, Carbonetto & Stephens,
    PLoS Genet 2013 (doi 10.1371/journal.pgen.1003264). A gene with evidence drives with a higher
    prior probability, in proportion to the strength of its evidence, and its effect is expected
    in the direction of the evidence. How far evidence is trusted, how large effects are, and the
    variances are learned along, so wrong evidence costs little. The posterior is sampled with
    informed moves in continuous time (Zanella, J Am Stat Assoc 2020, doi
    10.1080/01621459.2019.1585255; Zanella & Roberts, J R Stat Soc B 2019, doi
    10.1111/rssb.12316), and probabilities are Rao-Blackwellised.

    Parameters
    ----------
    profiles
        Samples × genes on any one scale; NaN counts as the gene's mean.
    target
        Susceptibility of each sample, or the name of a column of ``profiles.obs``.
    evidence
        `GeneEvidence`, `ScreenTable`, array of signed evidence in gene order, or None.
    groups
        Lineage of each sample, taken as a random effect; None for none.
    steps
        Moves of each chain; the first fifth is left out.
    chains
        Chains with different seeds, averaged.
    random_state
        Seed.
    progress
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    pandas.DataFrame
        One row a gene, most probable first: ``gene``; ``probability`` in [0, 1]; ``effect``,
        posterior mean change of the response per standard deviation of the gene (+ = sensitizes);
        ``fdr``, share of non-drivers expected among the genes down to this one;
        ``chain_difference``, largest difference of the probability between chains.

    Raises
    ------
    InputError
        When there are fewer than 10 samples, the response is constant, or shapes differ.
    """
    checked = Profiles.of(profiles)
    frame = checked.frame()
    response = checked.target(target)
    labels = None if groups is None else checked.labels(groups, "groups")
    _check(response, steps, chains)
    spread = response.std()
    scaled = (response - response.mean()) / spread
    signed = signed_evidence(evidence, frame.columns)
    with one_thread():
        standard = np.ascontiguousarray(standardised(frame.to_numpy())[0].T)
        problem = Problem(standard, scaled, signed, _kernels(standard, labels), len(signed))
        probability, effect = one_gene_each(problem)
        chosen = _candidates(probability, signed)
        smaller = Problem(
            standard[chosen], scaled, signed[chosen], problem.kernels, problem.gene_count
        )
        results = []
        for number in range(chains):
            results.append(
                sample_posterior(smaller, steps, np.random.default_rng([random_state, number]))
            )
            if progress is not None:
                progress("drivers", number + 1, chains)
    sampled = np.mean(results, axis=0)
    between = np.ptp([result[0] for result in results], axis=0)
    # A gene left out is never more probable than the least of those that entered without evidence.
    without = sampled[0][signed[chosen] == 0]
    ceiling = float(without.min()) if len(without) else 1.0
    shrink = np.minimum(1.0, ceiling / np.maximum(probability, 1e-300))
    probability, effect = probability * shrink, effect * shrink
    probability[chosen], effect[chosen] = sampled
    difference = np.zeros(len(signed))
    difference[chosen] = between
    return _table(frame.columns, probability, effect * spread, difference)


def _check(response: FloatArray, steps: int, chains: int) -> None:
    if len(response) < MINIMUM_SAMPLES:
        raise InputError(
            f"Found {len(response)} samples; drivers need {MINIMUM_SAMPLES} at least. Add samples."
        )
    if np.ptp(response) == 0:
        raise InputError("The response is the same for all samples; nothing drives it.")
    if steps < 10 or chains < 1:
        raise InputError(
            f"Found {steps} steps and {chains} chains; expected 10 steps and 1 chain at least."
        )


def _kernels(standard: FloatArray, labels: npt.NDArray[Any] | None) -> dict[str, FloatArray]:
    samples = standard.shape[1]
    background = standard.T @ standard / len(standard)
    kernels = {"noise": np.eye(samples), "background": background}
    if labels is not None and len(np.unique(labels)) > 1:
        kernels["lineage"] = (labels[:, None] == labels[None, :]).astype(np.float64)
    return kernels


def _candidates(probability: FloatArray, signed: FloatArray) -> npt.NDArray[np.intp]:
    rank = np.where(signed != 0, np.inf, probability)
    return np.sort(np.argsort(-rank, kind="stable")[: max(CANDIDATES, int((signed != 0).sum()))])


def _table(
    genes: pd.Index, probability: FloatArray, effect: FloatArray, difference: FloatArray
) -> pd.DataFrame:
    order = np.lexsort((np.arange(len(genes)), -np.abs(effect), -probability))
    ranked = probability[order]
    return pd.DataFrame(
        {
            "gene": genes[order],
            "probability": ranked,
            "effect": effect[order],
            "fdr": np.cumsum(1 - ranked) / np.arange(1, len(ranked) + 1),
            "chain_difference": difference[order],
        }
    )
