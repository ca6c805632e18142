"""Simulated tumours: gene expression with lineages and co-expression, and the planted NK response.

Genes bear real approved symbols so that readers and evidence tables recognise them; everything
said about them here is invented. The category names and members follow Dufva et al., Immunity 2023
(doi 10.1016/j.immuni.2023.11.008), figure 4; the signs are assumptions of the simulation, chosen to
look plausible, and evidence of nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.io import approved_symbols
from nkpredict.types import BoolArray, FloatArray

_ANTIGEN_PRESENTATION = "HLA-E HLA-A HLA-C B2M TAP1 TAP2 TAPBP NLRC5 RFXAP RFXANK"
_INTERFERON_GAMMA = "JAK1 STAT1"
_ACTIVATING_LIGANDS = "NCR3LG1 CD58 ULBP1 ULBP2 ULBP3 CD48 TNFSF9 PVR MICA"
_DEATH_RECEPTORS = "TNFRSF10A TNFRSF10B FAS FADD BID BAX PMAIP1 CASP8"
_SURVIVAL = "CFLAR XIAP BIRC3"
_ADHESION = "ICAM1 SPN SELPLG CD44"
_WITHOUT_SIGN = (
    "TNFRSF1B TNFRSF10D TRAF2 RNF31 GMDS FUT8 SLC35C1 MUC1 MUC21 ARID1A GFI1B TAL1 YTHDF2 RUNX1 "
    "CHD7 CMIP PCGF5 RBBP4 FOXA1 IRF4 MYB MSI2 STAG2 KLF16 PTEN NFKBIA GNA13 ZC3HAV1 GSK3B SPPL3 "
    "TMEM131L ARHGAP1 MAPK14 HMGB1"
)
ASSUMED_SIGN = {
    gene: sign
    for names, sign in (
        (_ACTIVATING_LIGANDS, 1),
        (_DEATH_RECEPTORS, 1),
        (_ADHESION, 1),
        (_ANTIGEN_PRESENTATION, -1),
        (_INTERFERON_GAMMA, -1),
        (_SURVIVAL, -1),
    )
    for gene in names.split()
}
NK_GENES = frozenset([*ASSUMED_SIGN, *_WITHOUT_SIGN.split()])
_PLAIN_SYMBOL = re.compile(r"(?!LOC\d)[A-Z][A-Z0-9]+(-[A-Z0-9]+)*|C[0-9XY]+orf\d+")

KNOWN_SHARE = 0.6  # of the drivers, over all screens
_N_MODULES = 20
_DRIVER_SD = 1.15  # of the summed driver effects within lineages, on the logit scale
_RESIDUAL_SD = 0.3
MOST_SUSCEPTIBLE = 0.8  # upper limit of the simulated susceptibility


@dataclass(frozen=True)
class Lineage:
    """What the simulation assumes about one lineage.

    Attributes
    ----------
    n_lines
        Cell lines of this lineage.
    compartment
        ``"myeloid"``, ``"T"`` or ``"B"``: lineages of one compartment share marker genes.
    oncotree
        DepMap's ``OncotreeLineage``.
    mean_logit
        Mean of its cell lines on the logit scale of the susceptibility; the order follows the
        study, and CML stands beside AML as the other myeloid lineage.
    patient_share
        Expected share among the patients.
    """

    n_lines: int
    compartment: str
    oncotree: str
    mean_logit: float
    patient_share: float


LINEAGES = {
    "AML": Lineage(14, "myeloid", "Myeloid", 1.3, 0.35),
    "CML": Lineage(4, "myeloid", "Myeloid", 1.0, 0.0),
    "TCL": Lineage(6, "T", "Lymphoid", 0.55, 0.0),
    "T-ALL": Lineage(8, "T", "Lymphoid", 0.5, 0.15),
    "BCL": Lineage(14, "B", "Lymphoid", -0.25, 0.15),
    "MM": Lineage(8, "B", "Lymphoid", -0.8, 0.15),
    "B-ALL": Lineage(9, "B", "Lymphoid", -1.4, 0.2),
}


@dataclass(frozen=True)
class PlantedGenes:
    """The simulated genes and which of them matter.

    Attributes
    ----------
    genes
        Approved symbols, sorted.
    effects
        Driver → relative signed effect; + sensitizes, − protects.
    known
        Drivers that at least one screen detects.
    decoys
        Genes without effect that screens report all the same; as many as ``known``.
    """

    genes: tuple[str, ...]
    effects: pd.Series
    known: tuple[str, ...]
    decoys: tuple[str, ...]


def plant_genes(n_genes: int, n_drivers: int, rng: np.random.Generator) -> PlantedGenes:
    """Choose genes, drivers and decoys.

    Parameters
    ----------
    n_genes, n_drivers
        How many genes to simulate, and how many of them act on the susceptibility. Two thirds of
        the drivers are NK genes with an assumed sign as far as these suffice, the others any gene.
    rng
        Source of randomness.

    Returns
    -------
    PlantedGenes
        The same for the same numbers and generator state.

    Raises
    ------
    InputError
        When the genes do not suffice for the drivers, or there are not as many symbols.
    """
    fill = [s for s in sorted(approved_symbols() - NK_GENES) if _PLAIN_SYMBOL.fullmatch(s)]
    smallest, largest = len(NK_GENES) + 2 * n_drivers, len(NK_GENES) + len(fill)
    if not smallest <= n_genes <= largest:
        raise InputError(
            f"n_genes is {n_genes}; {n_drivers} drivers with as many decoys beside the "
            f"{len(NK_GENES)} named NK genes need between {smallest} and {largest} genes. "
            "Change n_genes or n_drivers."
        )
    others = [str(g) for g in rng.choice(fill, n_genes - len(NK_GENES), replace=False)]
    n_named = min(round(n_drivers * 2 / 3), len(ASSUMED_SIGN))
    named = [str(g) for g in rng.choice(sorted(ASSUMED_SIGN), n_named, replace=False)]
    n_other = n_drivers - n_named
    drivers = named + others[:n_other]
    signs = [ASSUMED_SIGN[g] for g in named] + rng.choice([-1, 1], n_other).tolist()
    genes = tuple(sorted([*NK_GENES, *others]))
    effects = np.array(signs) * rng.uniform(0.5, 1.5, n_drivers)
    n_known = max(1, round(KNOWN_SHARE * n_drivers))
    # screens find strong genes more often than weak ones
    known = rng.choice(drivers, n_known, replace=False, p=np.abs(effects) / np.abs(effects).sum())
    decoys = rng.choice(sorted(set(genes) - set(drivers)), n_known, replace=False)
    return PlantedGenes(
        genes=genes,
        effects=pd.Series(effects, index=drivers),
        known=tuple(sorted(map(str, known))),
        decoys=tuple(sorted(map(str, decoys))),
    )


class ExpressionProgramme:
    """Gene expression of tumours: gene means, lineage markers, co-expression modules, noise.

    Parameters
    ----------
    planted
        Genes to express. Drivers are expressed and are no lineage markers, so that they act within
        lineages.
    rng
        Source of randomness.
    """

    def __init__(self, planted: PlantedGenes, rng: np.random.Generator) -> None:
        genes, n_genes = planted.genes, len(planted.genes)
        driver = np.isin(genes, planted.effects.index)
        expressed = driver | np.isin(genes, sorted(NK_GENES)) | (rng.random(n_genes) < 0.6)
        # two humps, as log2 TPM has: transcribed genes and background
        self.means: FloatArray = np.where(
            expressed, rng.normal(4.5, 1.3, n_genes), rng.normal(-4.0, 1.5, n_genes)
        )
        self.lineage_shift = self._lineage_shift(driver, rng)
        # each gene follows one module; antigen presentation moves with interferon gamma
        together = f"{_ANTIGEN_PRESENTATION} {_INTERFERON_GAMMA}".split()
        module = np.where(np.isin(genes, together), 0, rng.integers(0, _N_MODULES, n_genes))
        self.loadings: FloatArray = np.zeros((_N_MODULES, n_genes))
        self.loadings[module, np.arange(n_genes)] = np.abs(rng.normal(0.0, 0.5, n_genes))
        self.noise_sd: FloatArray = rng.uniform(0.4, 0.8, n_genes)

    @staticmethod
    def _lineage_shift(driver: BoolArray, rng: np.random.Generator) -> pd.DataFrame:
        n_genes = len(driver)
        # a programme belongs to one lineage or to all of a compartment
        compartments = [lineage.compartment for lineage in LINEAGES.values()]
        belongs = np.hstack(
            [np.eye(len(LINEAGES)), np.equal.outer(compartments, sorted(set(compartments)))]
        )
        markers = rng.choice(np.flatnonzero(~driver), n_genes // 10, replace=False)
        programme = rng.integers(0, belongs.shape[1], len(markers))
        shift = rng.normal(0.0, 0.2, (len(LINEAGES), n_genes))
        shift[:, markers] += belongs[:, programme] * rng.normal(2.0, 0.7, len(markers))
        return pd.DataFrame(shift, index=list(LINEAGES))

    def log2_abundance(self, lineages: Sequence[str], rng: np.random.Generator) -> FloatArray:
        """Draw the expression of tumours.

        Parameters
        ----------
        lineages
            Lineage of each tumour, keys of :data:`LINEAGES`.
        rng
            Source of randomness.

        Returns
        -------
        numpy.ndarray of shape (n_tumours, n_genes)
            log2 relative abundance.
        """
        n = len(lineages)
        shift = self.lineage_shift.loc[list(lineages)].to_numpy()
        factors = rng.normal(size=(n, _N_MODULES))
        noise = rng.normal(size=(n, len(self.means))) * self.noise_sd
        return np.asarray(self.means + shift + factors @ self.loadings + noise)


class SusceptibilityRule:
    """The planted rule from expression and lineage to NK susceptibility.

    Parameters
    ----------
    planted
        Genes with relative effects.
    abundance
        log2 abundance of the cell lines, shape (n_lines, n_genes). Driver expression is
        standardised on them, and the effects are scaled so that the drivers' sum has a fixed
        standard deviation within lineages.
    lineages
        Lineage of each cell line.

    Attributes
    ----------
    effects
        Driver → change of the logit with one standard deviation of its expression.
    offsets
        Lineage → part of the logit that the drivers do not carry.
    """

    formula = (
        f"susceptibility = {MOST_SUSCEPTIBLE} * logistic(lineage offset + sum over drivers of "
        "(effect * expression standardised on the cell lines) + residual), with a normal residual "
        f"of standard deviation {_RESIDUAL_SD}; this is 1 - AUC of the noise-free kill curve"
    )

    def __init__(
        self, planted: PlantedGenes, abundance: FloatArray, lineages: Sequence[str]
    ) -> None:
        self._columns = [planted.genes.index(gene) for gene in planted.effects.index]
        drivers = abundance[:, self._columns]
        self._mean, self._sd = drivers.mean(axis=0), drivers.std(axis=0)
        raw = pd.Series((drivers - self._mean) / self._sd @ planted.effects.to_numpy())
        lineage_means = raw.groupby(list(lineages)).mean()
        scale = _DRIVER_SD / (raw - lineage_means.loc[list(lineages)].to_numpy()).std()
        self.effects = planted.effects * scale
        # a few lines' drivers would reorder the lineages by chance
        targets = pd.Series({name: lineage.mean_logit for name, lineage in LINEAGES.items()})
        self.offsets = targets - lineage_means * scale

    def susceptibility(
        self, abundance: FloatArray, lineages: Sequence[str], rng: np.random.Generator
    ) -> FloatArray:
        """Apply the rule.

        Parameters
        ----------
        abundance
            log2 abundance, shape (n_tumours, n_genes).
        lineages
            Lineage of each tumour.
        rng
            Source of the residual, the part that expression does not explain.

        Returns
        -------
        numpy.ndarray of shape (n_tumours,)
            Between 0 and :data:`MOST_SUSCEPTIBLE`; higher is killed more easily.
        """
        z = (abundance[:, self._columns] - self._mean) / self._sd
        offset = self.offsets.loc[list(lineages)].to_numpy()
        logit = offset + z @ self.effects.to_numpy() + rng.normal(0, _RESIDUAL_SD, len(offset))
        return np.asarray(MOST_SUSCEPTIBLE / (1.0 + np.exp(-logit)))
