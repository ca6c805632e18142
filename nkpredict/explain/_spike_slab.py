"""Spike-and-slab regression by informed moves: which genes have an effect, and how large."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, cholesky
from scipy.special import expit, logit

from nkpredict.types import FloatArray

# Prior of what is learned, as centre and standard deviation of the logarithm (of the logit for
# `trust`), with the response scaled to variance 1. A driver is expected to explain about 2 %.
# The numbers, and those of the chain below, are set by hand.
_PRIOR = {
    "noise": (np.log(0.4), 1.0),
    "background": (np.log(0.2), 1.0),
    "lineage": (np.log(0.1), 1.0),
    "known_variance": (np.log(0.015), 1.0),
    "other_variance": (np.log(0.02), 0.5),
    "trust": (-1.0, 1.5),  # wide enough for useless evidence to lose its trust
    "others": (np.log(15.0), 0.25),
}
_PUSH_SD = 0.3  # of the half normal prior of the mean effect in the direction of the evidence
_STEP = 0.4  # of the random walk, in standard deviations of the prior
_UPDATE_RATE = 0.5  # updates of the settings per unit of the chain's time
# The shares of genes that drive and the mean effect need no new covariance: many cheap steps, small
# and large ones. With the others alone they moved so seldom that chains disagreed; see
# docs/decisions/031.
_CHEAP = ("trust", "others", "push")
_CHEAP_RATE = 1.0
_CHEAP_STEPS = (0.2, 0.4, 0.8, 1.6)  # in standard deviations of the prior


@dataclass
class Settings:
    """What the sampler learns beside the genes: variances, prior shares and mean effect."""

    log: dict[str, float]
    push: float = 0.1

    def proposed(self, name: str, rng: np.random.Generator, step: float = _STEP) -> Settings:
        """Return settings one of which has made a random step."""
        if name == "push":
            return Settings(self.log, abs(self.push + step * _PUSH_SD * rng.normal()))
        moved = self.log[name] + step * _PRIOR[name][1] * rng.normal()
        return Settings(self.log | {name: moved}, self.push)

    def log_prior(self) -> float:
        """Log prior density, up to a constant."""
        own = sum(((self.log[k] - c) / s) ** 2 for k, (c, s) in _PRIOR.items() if k in self.log)
        return float(-0.5 * (own + (self.push / _PUSH_SD) ** 2))


@dataclass
class Problem:
    """Standardised data: genes × samples, one number a sample, kernels of the background."""

    genes: FloatArray  # candidates × samples, so that a gene is one row in memory
    target: FloatArray
    signed: FloatArray
    kernels: dict[str, FloatArray]
    gene_count: int
    known: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.known = self.signed != 0

    def slab(self, settings: Settings) -> tuple[FloatArray, FloatArray]:
        """Prior mean and variance of each gene's effect if it drives."""
        log = settings.log
        variance = np.full(len(self.signed), np.exp(log["other_variance"]))
        variance[self.known] = np.exp(log["known_variance"])
        return settings.push * np.sign(self.signed), variance

    def prior_odds(self, settings: Settings) -> FloatArray:
        """Log prior odds of driving; evidence of strength 1 gets the full trust."""
        others = self._other_share(settings)
        trust = expit(settings.log["trust"])
        share = others + np.abs(self.signed) * np.maximum(trust - others, 0.0)
        odds: FloatArray = logit(share)
        return odds

    def _other_share(self, settings: Settings) -> float:
        return float(min(0.5, np.exp(settings.log["others"]) / self.gene_count))

    def covariance(self, settings: Settings, drives: npt.NDArray[np.bool_]) -> FloatArray:
        """Covariance of the response given which genes drive."""
        chosen = np.flatnonzero(drives)
        _, variance = self.slab(settings)
        rows = self.genes[chosen]
        total = (rows.T * variance[chosen]) @ rows
        for name, kernel in self.kernels.items():
            total += np.exp(settings.log[name]) * kernel
        return total

    def residual(self, settings: Settings, drives: npt.NDArray[np.bool_]) -> FloatArray:
        """Response less the mean effect of the driving genes."""
        mean, _ = self.slab(settings)
        expected: FloatArray = mean[drives] @ self.genes[drives]
        return self.target - expected

    def log_posterior(self, settings: Settings, drives: npt.NDArray[np.bool_]) -> float:
        """Log posterior density of settings and driving genes, up to a constant."""
        lower = cholesky(self.covariance(settings, drives), lower=True)
        residual = self.residual(settings, drives)
        fit = -0.5 * residual @ cho_solve((lower, True), residual) - np.log(np.diag(lower)).sum()
        return float(fit) + self.log_shares(settings, drives)

    def log_shares(self, settings: Settings, drives: npt.NDArray[np.bool_]) -> float:
        """Log prior density of settings and driving genes, up to a constant."""
        odds = self.prior_odds(settings)
        # genes that are no candidates count among those that do not drive
        rest = (self.gene_count - len(odds)) * np.log1p(-self._other_share(settings))
        shares = odds[drives].sum() - np.logaddexp(0.0, odds).sum() + rest
        return float(shares + settings.log_prior())


def _start(problem: Problem) -> Settings:
    shared = {"known_variance", "other_variance", "trust", "others"}
    names = shared | set(problem.kernels)
    return Settings({name: centre for name, (centre, _) in _PRIOR.items() if name in names})


class Chain:
    """One chain: which genes drive, and the sums that say what a change would bring."""

    def __init__(self, problem: Problem, settings: Settings, rng: np.random.Generator) -> None:
        self.problem = problem
        self.rng = rng
        self.drives = np.zeros(len(problem.genes), dtype=bool)
        self.settings = settings
        self.refresh()

    def refresh(self) -> None:
        """Compute everything from the driving genes and settings."""
        problem = self.problem
        self.mean, self.variance = problem.slab(self.settings)
        self.odds = problem.prior_odds(self.settings)
        self.inverse = np.linalg.inv(problem.covariance(self.settings, self.drives))
        self.precision = np.einsum("gs,gs->g", problem.genes @ self.inverse, problem.genes)
        self.pull = problem.genes @ (self.inverse @ problem.residual(self.settings, self.drives))

    def conditional(self) -> tuple[FloatArray, FloatArray]:
        """Mean of each effect if it drives, and log odds of driving, given the other genes."""
        precision, pull, variance = self.precision, self.pull, self.variance
        # without the gene itself, where it drives
        left = np.where(self.drives, np.maximum(1 - variance * precision, 1e-12), 1.0)
        own = np.where(self.drives, self.mean * precision, 0.0)
        precision, pull = precision / left, (pull + own) / left
        posterior = 1 / (1 / variance + precision)
        mean = posterior * (pull + self.mean / variance)
        factor = 0.5 * (
            np.log(posterior / variance) + mean**2 / posterior - self.mean**2 / variance
        )
        return mean, factor + self.odds

    def flip(self, gene: int) -> None:
        """Let a gene drive, or stop."""
        row = self.problem.genes[gene]
        sign = -1.0 if self.drives[gene] else 1.0
        along = self.inverse @ row
        weight = self.problem.genes @ along
        precision, pull = self.precision[gene], self.pull[gene]
        step = sign * self.variance[gene] / (1 + sign * self.variance[gene] * precision)
        moved = sign * self.mean[gene]
        self.inverse -= step * np.outer(along, along)
        self.pull -= weight * (step * pull + moved * (1 - step * precision))
        self.precision -= step * weight**2
        self.drives[gene] = not self.drives[gene]

    def update_settings(self) -> None:
        """Random-walk Metropolis steps of the variances, one after the other."""
        current = self.problem.log_posterior(self.settings, self.drives)
        for name in [name for name in self.settings.log if name not in _CHEAP]:
            proposed = self.settings.proposed(name, self.rng)
            there = self.problem.log_posterior(proposed, self.drives)
            if np.log(self.rng.random()) < there - current:
                self.settings, current = proposed, there
        self.refresh()

    def update_cheaply(self) -> None:
        """Metropolis steps of what leaves the covariance given the driving genes as it is."""
        current = self._log_cheap(self.settings)
        for step in _CHEAP_STEPS:
            for name in _CHEAP:
                proposed = self.settings.proposed(name, self.rng, step)
                there = self._log_cheap(proposed)
                if np.log(self.rng.random()) < there - current:
                    self.settings, current = proposed, there
        problem = self.problem
        self.mean, _ = problem.slab(self.settings)
        self.odds = problem.prior_odds(self.settings)
        self.pull = problem.genes @ (self.inverse @ problem.residual(self.settings, self.drives))

    def _log_cheap(self, settings: Settings) -> float:
        residual = self.problem.residual(settings, self.drives)
        fit = -0.5 * float(residual @ self.inverse @ residual)
        return fit + self.problem.log_shares(settings, self.drives)


def sample_posterior(
    problem: Problem, steps: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Run one chain and average over it, without its first fifth.

    A gene changes state at a rate given by how much more probable the other state is, so that
    the chain spends its time where the probability lies; each state counts for as long as it
    would last.

    Parameters
    ----------
    problem
        Standardised data.
    steps
        Moves.
    rng
        Source of all draws.

    Returns
    -------
    probability, effect : numpy.ndarray
        Posterior probability of driving and posterior mean effect of each gene.
    """
    chain = Chain(problem, _start(problem), rng)
    probability, effect = np.zeros(len(problem.genes)), np.zeros(len(problem.genes))
    time = 0.0
    for step in range(steps):
        mean, odds = chain.conditional()
        # how much more probable the other state of each gene is, at most 1
        rate = np.exp(np.minimum(np.where(chain.drives, -odds, odds), 0.0))
        total = np.cumsum(rate)
        stay = 1 / (total[-1] + _UPDATE_RATE + _CHEAP_RATE)
        if step >= steps // 5:
            drives = expit(odds)
            probability += stay * drives
            effect += stay * drives * mean
            time += stay
        draw = rng.random() / stay
        if draw < total[-1]:
            chain.flip(int(np.searchsorted(total, draw, side="right")))
        elif draw < total[-1] + _CHEAP_RATE:
            chain.update_cheaply()
        else:
            chain.update_settings()
    return probability / time, effect / time


def one_gene_each(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Probability and effect of each gene if it alone stood beside the background."""
    settings = _start(problem)
    mean, odds = Chain(problem, settings, np.random.default_rng(0)).conditional()
    probability: FloatArray = expit(odds)
    return probability, probability * mean
