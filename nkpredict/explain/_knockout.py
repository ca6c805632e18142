"""Virtual perturbation: what the model predicts when a gene is lost or gained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.explain._coregulation import CARRY_FROM, carried_slope, standardised
from nkpredict.facts import CarryFacts, PerturbationFacts
from nkpredict.features import ProfilesLike
from nkpredict.io import all_simulated
from nkpredict.learn import GeneModel, HarmonisedProfiles

Perturbation: TypeAlias = Literal["loss", "gain"]


@dataclass(frozen=True, repr=False)
class VirtualPerturbation:
    """Predicted changes of susceptibility, each gene perturbed by itself.

    Attributes
    ----------
    changes : pandas.DataFrame
        Samples × genes: predicted change of susceptibility. 0 where a gene is already at or
        beyond the end of the range.
    kind : str
        ``loss`` or ``gain``.
    measured : pandas.Series
        Share of the samples in which each gene was measured; elsewhere its change starts from
        the training mean.
    provenance : PerturbationFacts
        What was done.
    """

    changes: pd.DataFrame
    kind: Perturbation
    measured: pd.Series
    provenance: PerturbationFacts

    @property
    def effects(self) -> pd.Series:
        """Mean effect of each gene, signed as screens are: + = the gene sensitizes to NK cells."""
        sign = -1.0 if self.kind == "loss" else 1.0
        return (sign * self.changes.mean(axis=0)).rename("effect")

    def table(self) -> pd.DataFrame:
        """Return one row a gene, the largest gain in susceptibility first.

        Returns
        -------
        pandas.DataFrame
            ``gene, mean_change, lowest_change, highest_change, samples_sensitized`` (share of
            samples whose predicted susceptibility rises) and ``measured``.
        """
        values = self.changes.to_numpy()
        table = pd.DataFrame(
            {
                "gene": self.changes.columns,
                "mean_change": values.mean(axis=0),
                "lowest_change": values.min(axis=0),
                "highest_change": values.max(axis=0),
                "samples_sensitized": (values > 0).mean(axis=0),
                "measured": self.measured.to_numpy(),
            }
        )
        return table.sort_values("mean_change", ascending=False, kind="stable", ignore_index=True)

    def __repr__(self) -> str:
        """Summarise in one line."""
        samples, genes = self.changes.shape
        mark = "SIMULATED, " if self.provenance.simulated else ""
        return f"VirtualPerturbation({mark}{self.kind} of {genes:,} genes in {samples:,} samples)"


def knockout(
    model: GeneModel,
    profiles: ProfilesLike | HarmonisedProfiles,
    genes: Sequence[str] | None = None,
    kind: Perturbation = "loss",
    carry_along: bool = False,
    reference: ProfilesLike | None = None,
) -> VirtualPerturbation:
    """Predict how susceptibility changes when one gene at a time is lost or gained.

    The gene goes to the low (loss) or high (gain) end of its range in the training profiles
    (``model.range_``, 5th and 95th percentile on the harmonised scale) and no further: values
    beyond were hardly seen in training. A gene already there stays as it is. This is a statement
    about the model; it is no causal effect of the gene.

    Parameters
    ----------
    model
        Fitted model.
    profiles
        Samples × genes.
    genes
        Genes to perturb; all of the model's when not given.
    kind
        ``loss`` or ``gain``.
    carry_along
        Whether genes that move with the perturbed one move too: each gene whose correlation with
        it over the reference reaches 0.5 follows its regression line on it, and adds its shift
        times its slope in the model (``model.effect_``), a first-order approximation in the trees.
    reference
        Profiles that tell the co-regulation, best those of the training; needed to carry along.

    Returns
    -------
    VirtualPerturbation

    Raises
    ------
    InputError
        When a gene is not in the model, the kind is not known or the reference is missing.
    """
    _check(kind, carry_along, reference)
    prepared = model.prepare(profiles)
    names = pd.Index(model.feature_names_in_)
    columns = _positions(names, genes)
    level = np.full(len(names), np.nan)
    level[columns] = model.range_[0 if kind == "loss" else 1][columns]
    before = prepared.values[:, columns]
    changes = model.substituted(prepared, level)[:, columns]
    beyond = before <= level[columns] if kind == "loss" else before >= level[columns]
    changes = np.where(beyond, 0.0, changes)
    carried = None
    if carry_along and reference is not None:
        known = model.prepare(reference).values
        standard, mean, spread = standardised(known)
        start = np.where(np.isnan(before), mean[columns], before)
        shift = np.where(beyond, 0.0, (level[columns] - start) / spread[columns])
        slope, followers = carried_slope(standard, np.asarray(model.effect_), columns)
        changes = changes + shift * slope
        carried = CarryFacts(
            from_correlation=CARRY_FROM,
            reference_profiles=len(known),
            genes_carried_on_average=float(followers.mean()) if len(followers) else 0.0,
        )
    return VirtualPerturbation(
        changes=pd.DataFrame(changes, index=prepared.samples, columns=names[columns]),
        kind=kind,
        measured=pd.Series((~np.isnan(before)).mean(axis=0), index=names[columns]),
        provenance=PerturbationFacts(
            simulated=all_simulated(prepared.samples),
            kind=kind,
            level=f"{'5th' if kind == 'loss' else '95th'} percentile of training",
            genes=len(columns),
            already_at_the_end=int(beyond.sum()),
            not_measured=int(np.isnan(before).sum()),
            carried=carried,
        ),
    )


def _check(kind: str, carry_along: bool, reference: ProfilesLike | None) -> None:
    if kind not in get_args(Perturbation):
        raise InputError(
            f"The kind of perturbation {kind!r} is not known; expected "
            f"{' or '.join(get_args(Perturbation))}."
        )
    if carry_along and reference is None:
        raise InputError(
            "Carrying genes along needs reference profiles that tell which genes move together; "
            "give the training profiles as reference."
        )


def _positions(names: pd.Index, genes: Sequence[str] | None) -> npt.NDArray[np.intp]:
    if genes is None:
        return np.arange(len(names))
    wanted = pd.Index(genes)
    positions = np.asarray(names.get_indexer(wanted))
    absent = wanted[positions < 0]
    if len(absent):
        raise InputError(
            f"{len(absent)} of {len(wanted)} genes are not in the model ({name_some(absent)}); "
            "expected approved symbols out of model.feature_names_in_."
        )
    return positions
