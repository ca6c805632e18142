"""Pairs of genes whose joint change moves the prediction by more than the sum of both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.features import Profiles, ProfilesLike
from nkpredict.learn import GeneModel, HarmonisedProfiles


def interactions(
    model: GeneModel, profiles: ProfilesLike, genes: Sequence[str] | None = None, top: int = 10
) -> pd.DataFrame:
    """Measure how far pairs of genes are from acting additively.

    For each sample the second difference of the prediction between the low and the high end of
    both genes' training range (``model.range_``): high and high, less high and low, less low and
    high, plus low and low. It is 0 for a linear model. A gene is set in a profile by the value
    that lies where the end lies among the profile's harmonised values, so another gene moves by
    one rank at most.

    Parameters
    ----------
    model
        Fitted model.
    profiles
        Samples × genes with names.
    genes
        Genes to pair; the genes with the largest mean |contribution| when not given.
    top
        How many genes then.

    Returns
    -------
    pandas.DataFrame
        One row a pair, the largest mean size first: ``gene_1, gene_2, interaction`` (mean over
        samples; + = both high is more susceptible than the sum of both), ``mean_abs``.

    Raises
    ------
    InputError
        When fewer than two genes are given or one is not in the model.
    """
    names = pd.Index(model.feature_names_in_)
    prepared = model.prepare(profiles)
    if genes is None:
        size = np.abs(model.contributions(prepared)[0].to_numpy()).mean(axis=0)
        genes = list(names[np.argsort(-size, kind="stable")[:top]])
    columns = np.asarray(names.get_indexer(pd.Index(genes)))
    if (columns < 0).any():
        absent = [gene for gene, column in zip(genes, columns, strict=True) if column < 0]
        raise InputError(f"{len(absent)} genes are not in the model ({name_some(absent)}).")
    if len(set(columns)) < max(2, len(columns)):
        raise InputError(f"Found {name_some(genes)}; expected two genes or more, each once.")
    low, high = np.asarray(model.range_)
    # samples × first gene × second gene: rise by the second gene with the first one high, less
    # that with the first one low
    second = np.zeros((len(prepared.samples), len(columns), len(columns)))
    for place, column in enumerate(columns):
        for sign, end in ((1.0, high), (-1.0, low)):
            moved = _with_level(prepared, int(column), float(end[column]))
            for other_sign, other_end in ((1.0, high), (-1.0, low)):
                level = np.full(len(names), np.nan)
                level[columns] = other_end[columns]
                change = model.substituted(moved, level)[:, columns]
                second[:, place] += sign * other_sign * change
    # both orders estimate the same
    second = (second + second.transpose(0, 2, 1)) / 2
    first_at, second_at = np.triu_indices(len(columns), 1)
    pairs = second[:, first_at, second_at]
    table = pd.DataFrame(
        {
            "gene_1": names[columns[first_at]],
            "gene_2": names[columns[second_at]],
            "interaction": pairs.mean(axis=0),
            "mean_abs": np.abs(pairs).mean(axis=0),
        }
    )
    return table.sort_values("mean_abs", ascending=False, kind="stable", ignore_index=True)


def _with_level(prepared: HarmonisedProfiles, column: int, level: float) -> Profiles:
    """Profiles in which one gene has the value that harmonises to a level."""
    values = prepared.given.values.astype(np.float64)
    for row, known in zip(values, prepared.values, strict=True):
        order = np.argsort(np.where(np.isnan(known), np.inf, known), kind="stable")
        order = order[: int((~np.isnan(known)).sum())]
        row[column] = np.interp(level, known[order], row[order])
    return Profiles.unnamed(values)
