"""How skill grows with the number of samples, and whether it could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.evaluate._fold import fit_predict, read_samples
from nkpredict.evaluate._metrics import spearman, spearman_within, summarise
from nkpredict.evaluate._splits import SPLITS, Fold, Split, make_folds
from nkpredict.features import ProfilesLike
from nkpredict.learn import MINIMUM_SAMPLES, fit_warnings_ignored
from nkpredict.threads import one_thread
from nkpredict.types import FloatArray, LabelArray, Progress


def limited(fold: Fold, size: int, random_state: int = 0) -> Fold:
    """Keep a random part of a fold's training samples; a smaller part lies within a larger one.

    Parameters
    ----------
    fold
        The fold; its test samples stay.
    size
        Number of training samples to keep.
    random_state
        Seed.

    Raises
    ------
    InputError
        When there are fewer training samples, or too few are asked for.
    """
    if not MINIMUM_SAMPLES <= size <= len(fold.train):
        raise InputError(
            f"The size {size} is outside the range: a training set needs {MINIMUM_SAMPLES} samples "
            f"at least, and the smallest one of these folds has {len(fold.train)}. Name a size "
            "between."
        )
    seed = [random_state, SPLITS.index(fold.split), fold.repeat, fold.number]
    order = np.random.default_rng(seed).permutation(fold.train)
    return replace(fold, train=np.sort(order[:size]))


def learning_curve(
    model: Any,
    X: ProfilesLike,
    y: Any,
    groups: Any = None,
    *,
    sizes: Sequence[int],
    split: str = Split.RANDOM,
    folds: int = 5,
    repeats: int = 1,
    random_state: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Measure skill on the same test samples with ever more training samples.

    Parameters
    ----------
    model
        Unfitted estimator; cloned for every fit.
    X
        DataFrame or AnnData of samples × genes.
    y
        Susceptibility, or the name of a column of ``X.obs``.
    groups
        Lineage of each sample, or the name of a column of ``X.obs``; needed for the
        lineage-held-out split.
    sizes
        Numbers of training samples.
    split
        ``"random"`` or ``"lineage-held-out"``.
    folds, repeats, random_state
        See `nkpredict.evaluate.make_folds`.
    progress
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    pandas.DataFrame
        One row a size: ``size, spearman, spearman_within_lineage, rmse``, means over repetitions.

    Raises
    ------
    InputError
        When a size is larger than a training set or below the least the model takes.
    """
    samples = read_samples(X, y, groups)
    planned = list(
        make_folds(
            split,
            len(samples.target),
            None if groups is None else samples.lineage,
            folds=folds,
            repeats=repeats,
            random_state=random_state,
        )
    )
    smallest = min(planned, key=lambda fold: len(fold.train))
    for size in sizes:
        limited(smallest, size, random_state)
    rows, done = [], 0
    with one_thread(), fit_warnings_ignored():
        # chance skill in small training sets is what the curve is there to show
        for size in sizes:
            tables = []
            for fold in planned:
                part = limited(fold, size, random_state)
                tables.append(
                    pd.DataFrame(
                        {
                            "split": split,
                            "model": "model",
                            "repeat": fold.repeat,
                            "lineage": samples.lineage[fold.test],
                            "observed": samples.target[fold.test],
                            "predicted": fit_predict(model, samples, part)[1],
                        }
                    )
                )
                done += 1
                if progress is not None:
                    progress("learning curve", done, len(sizes) * len(planned))
            rows.append(summarise(pd.concat(tables)).assign(size=size))
    columns = ["size", "spearman", "spearman_within_lineage", "rmse"]
    return pd.concat(rows, ignore_index=True)[columns]


@dataclass(frozen=True, repr=False)
class PermutationTest:
    """Outcome of a permutation test of a model's skill.

    Attributes
    ----------
    observed : float
        Rank correlation of out-of-fold predictions with the response.
    permuted : numpy.ndarray
        The same for permuted responses.
    p : float
        One-sided p value.
    """

    observed: float
    permuted: FloatArray
    p: float

    def __repr__(self) -> str:
        return (
            f"PermutationTest(observed {self.observed:.3f}, {len(self.permuted)} permutations, "
            f"mean {self.permuted.mean():.3f}, p = {self.p:.3g})"
        )


def permutation_test(
    model: Any,
    X: ProfilesLike,
    y: Any,
    groups: Any = None,
    *,
    within_groups: bool = False,
    permutations: int = 99,
    folds: int = 5,
    random_state: int = 0,
    progress: Progress | None = None,
) -> PermutationTest:
    """Test whether a model's skill on unseen samples could be chance.

    The whole cross-validation is repeated with permuted responses (test 1 of Ojala & Garriga, J
    Mach Learn Res 2010, 11:1833). The observed response counts as one of the permutations, p =
    (1 + number of permutations that do as well) / (1 + permutations), so p is never 0 (Phipson &
    Smyth, Stat Appl Genet Mol Biol 2010, doi 10.2202/1544-6115.1585).

    Parameters
    ----------
    model
        Unfitted estimator; cloned for every fit.
    X
        DataFrame or AnnData of samples × genes.
    y
        Susceptibility, or the name of a column of ``X.obs``.
    groups
        Lineage of each sample, or the name of a column of ``X.obs``.
    within_groups
        Permute inside each lineage and compare the mean rank correlation within lineages: is
        there skill beyond telling lineages apart?
    permutations
        Number of permutations; p cannot be less than 1 / (1 + permutations).
    folds, random_state
        Random folds, the same for all permutations, and seed.
    progress
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    PermutationTest

    Raises
    ------
    InputError
        When there is no permutation, or lineages are to be kept and are not given or too small.
    """
    if permutations < 1:
        raise InputError(f"Found {permutations} permutations; expected one at least.")
    if within_groups and groups is None:
        raise InputError(
            "Permuting within lineages needs the lineage of each sample, which is missing. Give "
            "groups."
        )
    samples = read_samples(X, y, groups)
    target, lineage = samples.target, samples.lineage
    planned = list(
        make_folds(Split.RANDOM, len(target), lineage, folds=folds, random_state=random_state)
    )

    def skill(response: FloatArray) -> float:
        predicted = np.empty(len(response))
        with one_thread(), fit_warnings_ignored():
            for fold in planned:
                replaced = samples._replace(target=response)
                predicted[fold.test] = fit_predict(model, replaced, fold)[1]
        if within_groups:
            return spearman_within(predicted, response, lineage)
        return spearman(predicted, response)

    observed = skill(target)
    if np.isnan(observed):
        raise InputError(
            "No lineage has five samples, so there is no ranking within lineages to test. Permute "
            "all samples instead."
        )
    rng = np.random.default_rng(random_state)
    permuted = np.empty(permutations)
    for number in range(permutations):
        permuted[number] = skill(_permuted(target, lineage, within_groups, rng))
        if progress is not None:
            progress("permuting", number + 1, permutations)
    as_good = int((permuted >= observed).sum())
    return PermutationTest(observed, permuted, (1 + as_good) / (1 + permutations))


def _permuted(
    target: FloatArray, lineage: LabelArray, within: bool, rng: np.random.Generator
) -> FloatArray:
    if not within:
        return rng.permutation(target)
    result = target.copy()
    for label in np.unique(lineage):
        members = lineage == label
        result[members] = rng.permutation(target[members])
    return result
