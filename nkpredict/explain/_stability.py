"""How stable a model's genes are: refits on parts of the samples, correlated genes as clusters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from nkpredict.errors import InputError
from nkpredict.explain._coregulation import CLUSTER_CORRELATION, cluster_genes
from nkpredict.facts import StabilityFacts
from nkpredict.features import Profiles, ProfilesLike
from nkpredict.io import all_simulated
from nkpredict.learn import NKSusceptibilityModel, fit_warnings_ignored
from nkpredict.types import BoolArray, FloatArray, Progress

Resampling: TypeAlias = Literal["folds", "bootstrap", "seed"]

# Set by hand.
TOP_GENES = 20
FOLDS = 5

_LEAST_REFITS = 2


@dataclass(frozen=True, repr=False)
class Stability:
    """What refits agree on.

    Attributes
    ----------
    genes : pandas.DataFrame
        One row a gene of the model, the most often selected first: ``gene``,
        ``selection_frequency`` (share of refits in which it is among the top genes by absolute
        effect), ``sign_agreement`` (share of the refits in which it has an effect that point the
        same way; NaN without any effect), ``mean_effect`` and ``sd_effect`` (per standard
        deviation of the gene) and ``cluster`` (number, 0 for genes never selected).
    clusters : pandas.DataFrame
        One row a cluster, the most often selected first: ``cluster, representative`` (its member
        with the largest mean |effect|), ``members`` (joined by ``"; "``), ``size``,
        ``selection_frequency`` (share of refits with any member among the top) and
        ``mean_abs_effect`` (largest among the members).
    effects : pandas.DataFrame
        Refits × genes.
    provenance : StabilityFacts
        What was done.
    """

    genes: pd.DataFrame
    clusters: pd.DataFrame
    effects: pd.DataFrame
    provenance: StabilityFacts

    def __repr__(self) -> str:
        """Summarise in one line."""
        mark = "SIMULATED, " if self.provenance.simulated else ""
        sure = int((self.clusters["selection_frequency"] >= 0.8).sum())
        return (
            f"Stability({mark}{len(self.effects)} refits, {len(self.clusters)} clusters of top "
            f"genes, {sure} selected in 80 % of the refits or more)"
        )


def stability(
    model: NKSusceptibilityModel,
    profiles: ProfilesLike,
    target: Any,
    groups: Any = None,
    resamples: int = 20,
    *,
    resampling: Resampling = "folds",
    top: int = TOP_GENES,
    cluster_correlation: float = CLUSTER_CORRELATION,
    random_state: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Stability:
    """Refit a model and say which genes it chooses again and again.

    The selection frequency over parts of the samples is that of stability selection (Meinshausen &
    Bühlmann, J R Stat Soc B 2010, doi 10.1111/j.1467-9868.2010.00740.x). Among genes that move
    together a model chooses one or the other by chance, so the genes ever selected are grouped by
    average linkage on 1 − |Pearson correlation| in the training profiles and counted as clusters.

    Parameters
    ----------
    model
        Model whose settings are refitted; fitted or not, it is not changed.
    profiles, target, groups
        Training data as for ``model.fit``.
    resamples
        How many refits.
    resampling
        ``folds``: all but one fold of repeated random partitions into five, so that every sample
        is left out equally often and two runs differ less; ``bootstrap``: samples weighted as
        often as they are drawn with replacement, so that no sample stands on both sides of an
        inner fold; ``seed``: all samples, another seed.
    top
        How many genes of a refit count as selected.
    cluster_correlation
        Mean |correlation| above which clusters are joined.
    random_state
        Seed of the resamples and of the refits.
    n_jobs
        Processes; the result does not depend on it.
    progress
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    Stability

    Raises
    ------
    InputError
        When there are fewer than 2 refits, the resampling is not known, or the training data are
        refused by the model.
    """
    if resampling not in get_args(Resampling):
        raise InputError(
            f"The resampling {resampling!r} is not known; expected one of "
            f"{', '.join(get_args(Resampling))}."
        )
    if resamples < _LEAST_REFITS:
        raise InputError(
            f"Found {resamples} resample(s); stability needs {_LEAST_REFITS} at least."
        )
    checked = Profiles.of(profiles)
    frame = checked.frame()
    frame = frame[sorted(frame.columns)]
    response = checked.target(target)
    labels = None if groups is None else checked.labels(groups, "groups")
    tasks = list(_draws(len(frame), resamples, resampling, random_state))
    effects = []
    for number, effect in enumerate(_refits(model, frame, response, labels, tasks, n_jobs), 1):
        effects.append(effect)
        if progress is not None:
            progress("refitting", number, resamples)
    table = pd.DataFrame(effects).reindex(columns=frame.columns).fillna(0.0)
    selected = _selected(table.to_numpy(), top)
    cluster = _clusters_of(table, selected, frame, cluster_correlation)
    return Stability(
        genes=_gene_table(table, selected, cluster),
        clusters=_cluster_table(table, selected, cluster),
        effects=table,
        provenance=StabilityFacts(
            simulated=all_simulated(frame.index),
            resampling=resampling,
            resamples=resamples,
            random_state=random_state,
            top=min(top, table.shape[1]),
            cluster_correlation=cluster_correlation,
        ),
    )


def _draws(
    samples: int, resamples: int, resampling: str, random_state: int
) -> Iterator[tuple[npt.NDArray[np.intp], FloatArray | None, int]]:
    """Rows, weights and seed of each refit."""
    every = np.arange(samples)
    for number in range(resamples):
        rng = np.random.default_rng([random_state, number])
        seed = int(rng.integers(2**31))
        if resampling == "folds":
            partition = np.random.default_rng([random_state, number // FOLDS, 1])
            fold = partition.permutation(samples) % FOLDS
            yield np.flatnonzero(fold != number % FOLDS), None, seed
        elif resampling == "bootstrap":
            drawn = np.bincount(rng.integers(0, samples, samples), minlength=samples)
            yield np.flatnonzero(drawn), drawn[drawn > 0].astype(np.float64), seed
        else:
            yield every, None, seed


def _refits(
    model: NKSusceptibilityModel,
    frame: pd.DataFrame,
    response: FloatArray,
    labels: npt.NDArray[Any] | None,
    tasks: list[tuple[npt.NDArray[np.intp], FloatArray | None, int]],
    n_jobs: int,
) -> Iterator[pd.Series]:
    if n_jobs == 1:
        yield from (_refit(model, frame, response, labels, *task) for task in tasks)
        return
    from joblib import Parallel, delayed

    yield from Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_refit)(model, frame, response, labels, *task) for task in tasks
    )


def _refit(
    model: NKSusceptibilityModel,
    frame: pd.DataFrame,
    response: FloatArray,
    labels: npt.NDArray[Any] | None,
    rows: npt.NDArray[np.intp],
    weights: FloatArray | None,
    seed: int,
) -> pd.Series:
    part = frame.iloc[rows]
    part = part.loc[:, part.notna().any(axis=0)]
    with fit_warnings_ignored():
        # A refit on fewer samples may have no skill; what counts is said about the whole model.
        fitted = (
            clone(model)
            .set_params(random_state=seed)
            .fit(part, response[rows], None if labels is None else labels[rows], weights)
        )
    return pd.Series(fitted.effect_, index=fitted.feature_names_in_)


def _selected(effects: FloatArray, top: int) -> BoolArray:
    """Tell which genes are among the top of each refit, refits × genes."""
    order = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, : min(top, effects.shape[1])]
    selected = np.zeros(effects.shape, dtype=bool)
    np.put_along_axis(selected, order, True, axis=1)
    selected &= effects != 0
    return selected


def _clusters_of(
    effects: pd.DataFrame, selected: BoolArray, frame: pd.DataFrame, correlation: float
) -> npt.NDArray[np.int64]:
    """Return the cluster of each gene ever selected, from 1; 0 for the others."""
    frequency, mean = selected.mean(axis=0), effects.to_numpy().mean(axis=0)
    ever = np.flatnonzero(frequency > 0)
    ever = ever[np.lexsort((-np.abs(mean[ever]), -frequency[ever]))]
    cluster = np.zeros(len(mean), dtype=np.int64)
    if len(ever):
        cluster[ever] = cluster_genes(frame, list(frame.columns[ever]), correlation).to_numpy()
    return cluster


def _gene_table(
    effects: pd.DataFrame, selected: BoolArray, cluster: npt.NDArray[np.int64]
) -> pd.DataFrame:
    values = effects.to_numpy()
    frequency, mean = selected.mean(axis=0), values.mean(axis=0)
    up, down = (values > 0).sum(axis=0), (values < 0).sum(axis=0)
    acting = up + down
    agreement = np.divide(
        np.maximum(up, down), acting, out=np.full(len(acting), np.nan), where=acting > 0
    )
    genes = pd.DataFrame(
        {
            "gene": effects.columns,
            "selection_frequency": frequency,
            "sign_agreement": agreement,
            "mean_effect": mean,
            "sd_effect": values.std(axis=0, ddof=1),
            "cluster": cluster,
        }
    )
    return genes.iloc[np.lexsort((-np.abs(mean), -frequency))].reset_index(drop=True)


def _cluster_table(
    effects: pd.DataFrame, selected: BoolArray, cluster: npt.NDArray[np.int64]
) -> pd.DataFrame:
    size = np.abs(effects.to_numpy().mean(axis=0))
    rows = []
    for number in range(1, int(cluster.max(initial=0)) + 1):
        members = np.flatnonzero(cluster == number)
        members = members[np.argsort(-size[members], kind="stable")]
        rows.append(
            {
                "cluster": number,
                "representative": effects.columns[members[0]],
                "members": "; ".join(effects.columns[members]),
                "size": len(members),
                "selection_frequency": selected[:, members].any(axis=1).mean(),
                "mean_abs_effect": float(size[members].max()),
            }
        )
    columns = ["cluster", "representative", "members", "size", "selection_frequency"]
    return pd.DataFrame(rows, columns=[*columns, "mean_abs_effect"]).sort_values(
        ["selection_frequency", "mean_abs_effect"],
        ascending=False,
        kind="stable",
        ignore_index=True,
    )
