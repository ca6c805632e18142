"""Killing planted on real expression: the truth is known, the profiles are as messy as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.simulate._biology import ASSUMED_SIGN, KNOWN_SHARE, NK_GENES
from nkpredict.types import FloatArray, LabelArray

Mechanism: TypeAlias = Literal["additive", "saturation", "lineage-only", "lineage-driver"]
EvidenceQuality: TypeAlias = Literal["true", "half-wrong", "shuffled"]

MECHANISMS: tuple[str, ...] = get_args(Mechanism)
EVIDENCE_QUALITIES: tuple[str, ...] = get_args(EvidenceQuality)

_MEAN, _SD = 0.4, 0.15  # of the planted susceptibility; about those of the published co-culture
_SATURATION = 2.5  # steepness at which most samples are killed nearly all or hardly at all
_LEAST_EXPRESSION_SD = 1e-9


@dataclass(frozen=True, repr=False)
class PlantedResponse:
    """Simulated susceptibility of real samples, and what made it.

    Attributes
    ----------
    susceptibility : pandas.Series
        One number a sample, higher = killed more easily; named ``SIMULATED susceptibility``.
    drivers : pandas.DataFrame
        Indexed by gene: ``effect`` (signed, per standard deviation of expression; 0 for all in
        the mechanism ``lineage-only``), ``sign`` and ``known`` (the evidence knows it).
    decoys : tuple of str
        Genes without effect that the evidence reports all the same.
    mechanism : str
        How expression becomes susceptibility.
    genes : tuple of str
        Genes of the expression that vary.
    """

    susceptibility: pd.Series
    drivers: pd.DataFrame
    decoys: tuple[str, ...]
    mechanism: str
    genes: tuple[str, ...]
    random_state: int

    def __repr__(self) -> str:
        """Summarise in one line."""
        return (
            f"PlantedResponse(SIMULATED, {self.mechanism}, {len(self.susceptibility)} samples, "
            f"{len(self.drivers)} drivers, {int(self.drivers['known'].sum())} known, "
            f"{len(self.decoys)} decoys)"
        )

    def evidence(self, quality: EvidenceQuality = "true") -> pd.DataFrame:
        """Return what screens would say: known drivers and decoys with signed evidence.

        Parameters
        ----------
        quality
            ``true``: the known drivers with their sign; ``half-wrong``: half of the genes with
            their sign turned; ``shuffled``: the same values on other genes.

        Returns
        -------
        pandas.DataFrame
            The columns of `nkpredict.GeneEvidence`, indexed by gene.

        Raises
        ------
        InputError
            When the quality is not known.
        """
        if quality not in EVIDENCE_QUALITIES:
            raise InputError(
                f"The quality of evidence {quality!r} is not known; expected "
                f"{', '.join(EVIDENCE_QUALITIES)}."
            )
        rng = np.random.default_rng([self.random_state, 1])
        known = self.drivers.index[self.drivers["known"]]
        genes = np.array([*known, *self.decoys], dtype=object)
        strength = rng.uniform(0.4, 1.0, len(genes))
        # a gene whose effect is switched off keeps the sign that screens have seen
        sign = np.concatenate(
            [self.drivers.loc[known, "sign"].to_numpy(), rng.choice([-1, 1], len(self.decoys))]
        )
        if quality == "half-wrong":
            turned = rng.permutation(len(genes)) < len(genes) // 2
            sign = np.where(turned, -sign, sign)
        elif quality == "shuffled":
            others = sorted(set(self.genes) - set(genes))
            genes = rng.choice(np.array(others, dtype=object), len(genes), replace=False)
        return pd.DataFrame(
            {
                "evidence": sign * strength,
                "confidence": strength,
                "n_screens": 1,
                "agreement": 1.0,
                "conflict": False,
            },
            index=pd.Index(genes, name="gene"),
        ).sort_index()


def plant_response(
    expression: pd.DataFrame,
    lineages: Sequence[str] | pd.Series,
    mechanism: Mechanism = "additive",
    *,
    drivers: int = 30,
    nk_drivers: int = 18,
    noise_sd: float = 0.6,
    random_state: int = 0,
) -> PlantedResponse:
    """Plant a simulated NK susceptibility on measured expression profiles.

    Parameters
    ----------
    expression
        Samples × genes with approved symbols, without NaN.
    lineages
        Lineage of each sample, in the order of the samples.
    mechanism
        ``additive``: sum of the drivers' effects; ``saturation``: a steep logistic curve of that
        sum; ``lineage-only``: a mean for each lineage, no gene acts; ``lineage-driver``: a
        lineage mean, and each driver acts in half of the lineages.
    drivers, nk_drivers
        How many genes act, and how many of them are genes of NK biology.
    noise_sd
        Standard deviation of the label noise, in standard deviations of the noise-free response.
    random_state
        Seed.

    Returns
    -------
    PlantedResponse

    Raises
    ------
    InputError
        When the expression has too few varying genes for drivers and decoys, or the mechanism is
        not known.
    """
    if mechanism not in MECHANISMS:
        raise InputError(
            f"The mechanism {mechanism!r} is not known; expected {', '.join(MECHANISMS)}."
        )
    rng = np.random.default_rng([random_state, 0])
    varying = expression.columns[expression.std(axis=0) > _LEAST_EXPRESSION_SD]
    named = sorted(set(varying) & NK_GENES)
    others = sorted(set(varying) - NK_GENES)
    known_count = round(KNOWN_SHARE * drivers)
    if len(named) < nk_drivers or len(others) < drivers - nk_drivers + known_count:
        raise InputError(
            f"The expression has {len(named)} varying genes of NK biology and {len(others)} "
            f"others; {drivers} drivers, {nk_drivers} of them NK genes, with {known_count} decoys "
            "need more. Name fewer drivers."
        )
    selected = [
        *map(str, rng.choice(named, nk_drivers, replace=False)),
        *map(str, rng.choice(others, drivers - nk_drivers, replace=False)),
    ]
    sign = np.array([ASSUMED_SIGN.get(gene) or rng.choice([-1, 1]) for gene in selected])
    effect = sign * rng.uniform(0.5, 1.5, drivers)
    known = np.isin(selected, rng.choice(selected, known_count, replace=False))
    decoys = rng.choice(sorted(set(varying) - set(selected)), known_count, replace=False)
    signal = _signal(expression[selected], np.asarray(lineages), effect, mechanism, rng)
    noisy = signal + noise_sd * rng.normal(size=len(signal))
    susceptibility = pd.Series(
        _MEAN + _SD * noisy, index=expression.index, name="SIMULATED susceptibility"
    )
    table = pd.DataFrame(
        {"effect": effect * (mechanism != "lineage-only"), "sign": sign, "known": known},
        index=pd.Index(selected, name="gene"),
    )
    return PlantedResponse(
        susceptibility=susceptibility,
        drivers=table,
        decoys=tuple(sorted(map(str, decoys))),
        mechanism=mechanism,
        genes=tuple(map(str, varying)),
        random_state=random_state,
    )


def _signal(
    expression: pd.DataFrame,
    lineages: LabelArray,
    effect: FloatArray,
    mechanism: str,
    rng: np.random.Generator,
) -> FloatArray:
    values = expression.to_numpy(dtype=np.float64)
    standard = (values - values.mean(axis=0)) / values.std(axis=0)
    names, lineage = np.unique(lineages, return_inverse=True)
    offset = rng.normal(size=len(names))[lineage]
    if mechanism == "lineage-only":
        return _standardised(offset)
    if mechanism == "lineage-driver":
        acts = np.array([rng.permutation(len(names)) < (len(names) + 1) // 2 for _ in effect])
        signal = _standardised((standard * acts[:, lineage].T) @ effect)
        return _standardised(signal + offset)
    signal = _standardised(standard @ effect)
    if mechanism == "saturation":
        signal = _standardised(1 / (1 + np.exp(-_SATURATION * signal)))
    return signal


def _standardised(values: FloatArray) -> FloatArray:
    spread = values.std()
    return np.asarray((values - values.mean()) / (spread if spread > 0 else 1.0))
