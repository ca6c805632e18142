"""Simulated measurements: co-culture viability, CRISPR screens, sequencing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, norm

from nkpredict.simulate._biology import PlantedGenes
from nkpredict.types import FloatArray
from nkpredict.vocabulary import Perturbation

RATIOS = (0.0, 0.625, 1.25, 2.5, 5.0)  # effector:target
CONDITIONS = ("D1_CTRL", "D1_NK_0.625", "D1_NK_1.25", "D1_NK_2.5", "D1_NK_5")
N_REPLICATES = 3
SCREENS = {
    "K562": Perturbation.LOSS,
    "MOLM14": Perturbation.LOSS,
    "SUDHL4": Perturbation.LOSS,
    "NALM6": Perturbation.LOSS,
    "MM1S": Perturbation.LOSS,
    "LP1": Perturbation.LOSS,
    "KMS11": Perturbation.LOSS,
    "KMS11_KHYG1": Perturbation.LOSS,
    "MM1S_GOF": Perturbation.GAIN,
    "KMS11_GOF": Perturbation.GAIN,
    "KMS11_KHYG1_GOF": Perturbation.GAIN,
    "LP1_KHYG1_GOF": Perturbation.GAIN,
}

# Standard deviations in % viability, chosen so that the mean AUC over the replicates has a
# reliability of 0.85 to 0.9: one deviation shared by the wells of a line and replicate, one a well.
_CULTURE_SD = 15.0
_WELL_SD = 6.0
_LINES_LACKING_INTERIOR_RATIO = 3
_PROTEIN_CODING_GENES = 19_200  # for the share of reads and TPM that falls on the simulated genes
_READS = 30e6


def culture_replicates(susceptibility: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Measure the viability of lines in co-culture.

    The mean follows 100 · (1 − emax · (1 − exp(−k · E:T))), where ``emax`` makes the trapezoid area
    of the mean curve equal to 1 − susceptibility. Three lines lack an interior ratio and one line
    lacks the highest.

    Parameters
    ----------
    susceptibility
        True susceptibility, shape (n_lines,).
    rng
        Source of randomness.

    Returns
    -------
    numpy.ndarray of shape (n_lines, n_ratios, n_replicates)
        % viability, NaN where a ratio was not measured; values can pass 100.
    """
    n = len(susceptibility)
    ratios = np.array(RATIOS)
    k = (0.3 + 2.0 * susceptibility) * rng.uniform(0.8, 1.25, n)
    kill = 1.0 - np.exp(-np.outer(k, ratios))
    emax = susceptibility / (np.trapezoid(kill, ratios, axis=1) / ratios[-1])
    mean = 100.0 * (1.0 - emax[:, None] * kill)
    shared = rng.normal(0.0, _CULTURE_SD, (n, 1, N_REPLICATES))
    viability = (
        mean[:, :, None]
        + shared * np.minimum(ratios, 1.0)[None, :, None]
        + rng.normal(0.0, _WELL_SD, (n, len(ratios), N_REPLICATES))
    )
    viability = np.round(np.maximum(viability, 0.5), 3)
    lacking = rng.choice(n, _LINES_LACKING_INTERIOR_RATIO + 1, replace=False)
    lacked = [*rng.integers(1, len(ratios) - 1, _LINES_LACKING_INTERIOR_RATIO), len(ratios) - 1]
    viability[lacking, lacked] = np.nan
    return np.asarray(viability)


def viability_area(viability: FloatArray) -> FloatArray:
    """Trapezoid area of % viability over E:T 0 to 5, over the measured ratios.

    Parameters
    ----------
    viability
        % viability, shape (n_lines, n_ratios); NaN where a ratio was not measured.

    Returns
    -------
    numpy.ndarray of shape (n_lines,)
        500 means no killing; NaN for a line without the control or the highest ratio, whose area
        would need extrapolation.
    """
    ratios = np.array(RATIOS)
    area = np.full(len(viability), np.nan)
    for line, values in enumerate(viability):
        measured = ~np.isnan(values)
        if measured[0] and measured[-1]:
            area[line] = np.trapezoid(values[measured], ratios[measured])
    return area


@dataclass(frozen=True)
class SimulatedScreens:
    """Screen tables and what was planted in them.

    Attributes
    ----------
    table
        ``Gene, lfc, p, FDR, cell_line, lfc_z``, one row a gene and screen.
    drivers, decoys
        Screen → genes it reports rightly, or wrongly.
    """

    table: pd.DataFrame
    drivers: dict[str, list[str]]
    decoys: dict[str, list[str]]


def run_screens(planted: PlantedGenes, rng: np.random.Generator) -> SimulatedScreens:
    """Run genome-wide loss- and gain-of-function screens.

    A known driver is detected by one or more screens; loss of a sensitizing gene and gain of a
    protecting one let cells survive (log2 fold change > 0). A decoy turns up in one screen or two,
    with a random sign. All other genes follow the null, the unknown drivers among them.

    Parameters
    ----------
    planted
        Genes, drivers and decoys.
    rng
        Source of randomness.

    Returns
    -------
    SimulatedScreens
        With two-sided normal p values of the z-scores and Benjamini–Hochberg FDR in each screen.
    """
    names = [f"SIM-{name}" for name in SCREENS]
    perturbation_sign = [1 if kind == Perturbation.LOSS else -1 for kind in SCREENS.values()]
    z = rng.normal(size=(len(names), len(planted.genes)))
    drivers: dict[str, list[str]] = {name: [] for name in names}
    decoys: dict[str, list[str]] = {name: [] for name in names}
    for gene in planted.known:
        for screen in rng.choice(len(names), 1 + rng.binomial(len(names) - 1, 0.25), replace=False):
            sign = np.sign(planted.effects[gene]) * perturbation_sign[screen]
            z[screen, planted.genes.index(gene)] = sign * rng.uniform(5.0, 8.0)
            drivers[names[screen]].append(gene)
    for gene in planted.decoys:
        for screen in rng.choice(len(names), rng.integers(1, 3), replace=False):
            z[screen, planted.genes.index(gene)] = rng.choice([-1, 1]) * rng.uniform(5.0, 8.0)
            decoys[names[screen]].append(gene)
    tables = []
    for name, scores in zip(names, z, strict=True):
        # noise differs between screens: bottlenecks, effector strength, days of co-culture
        lfc = np.round(scores * rng.uniform(0.2, 0.35), 5)
        lfc_z = (lfc - lfc.mean()) / lfc.std()
        p = 2.0 * norm.sf(np.abs(lfc_z))
        tables.append(
            pd.DataFrame(
                {
                    "Gene": planted.genes,
                    "lfc": lfc,
                    "p": p,
                    "FDR": false_discovery_control(p),
                    "cell_line": name,
                    "lfc_z": lfc_z,
                }
            )
        )
    return SimulatedScreens(pd.concat(tables, ignore_index=True), drivers, decoys)


def log2_tpm(abundance: FloatArray) -> FloatArray:
    """Turn log2 abundance into log2(TPM+1).

    Parameters
    ----------
    abundance
        log2 relative abundance, shape (n_samples, n_genes).

    Returns
    -------
    numpy.ndarray of shape (n_samples, n_genes)
        The TPM of a sample sum to the share of a million that as many of the 19,200 protein-coding
        genes would have on average.
    """
    total = 1e6 * abundance.shape[1] / _PROTEIN_CODING_GENES
    linear = np.exp2(abundance)
    return np.asarray(np.log2(total * linear / linear.sum(axis=1, keepdims=True) + 1.0))


def sequence_patients(
    abundance: FloatArray, genes: tuple[str, ...], samples: list[str], rng: np.random.Generator
) -> pd.DataFrame:
    """Sequence patient samples on another platform than the cell lines.

    Parameters
    ----------
    abundance
        log2 relative abundance, shape (n_samples, n_genes).
    genes, samples
        Labels.
    rng
        Source of randomness.

    Returns
    -------
    pandas.DataFrame
        Integer read counts, genes × samples: another depth for each sample, a shift of each gene
        (normal on the log2 scale, standard deviation 0.4), and 5 % of the genes missing.
    """
    n_samples, n_genes = abundance.shape
    linear = np.exp2(abundance + rng.normal(0.0, 0.4, n_genes))
    depth = _READS * n_genes / _PROTEIN_CODING_GENES * rng.lognormal(0.0, 0.4, (n_samples, 1))
    counts = rng.poisson(depth * linear / linear.sum(axis=1, keepdims=True))
    table = pd.DataFrame(counts.T, index=pd.Index(genes, name="gene"), columns=samples)
    measured = rng.permutation(n_genes) >= round(0.05 * n_genes)
    return table.loc[np.asarray(measured)]
