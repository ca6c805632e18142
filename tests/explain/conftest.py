"""A fitted model, and a linear one whose every answer can be computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from nkpredict import GeneEvidence, NKSusceptibilityModel
from nkpredict.features import Profiles, RankedProfiles
from nkpredict.learn import HarmonisedProfiles

DRIVERS = {"ICAM1": 1.0, "CD58": 0.8, "HLA-E": -1.0}


@dataclass(frozen=True)
class Study:
    """Training data with three drivers; the lineage ``high`` has much HLA-E."""

    profiles: pd.DataFrame
    target: pd.Series
    lineage: pd.Series
    evidence: GeneEvidence


def gene_evidence(signed: dict[str, float]) -> GeneEvidence:
    table = pd.DataFrame({"evidence": pd.Series(signed)}).rename_axis("gene")
    return GeneEvidence(table.assign(confidence=0.8, n_screens=1, agreement=1.0, conflict=False))


@pytest.fixture
def evidence_of() -> Callable[[dict[str, float]], GeneEvidence]:
    return gene_evidence


@pytest.fixture(scope="session")
def study() -> Study:
    rng = np.random.default_rng(3)
    genes = [*DRIVERS, "ICAM1-COPY", *(f"GENE{i}" for i in range(96))]
    samples = [f"S{i:02d}" for i in range(80)]
    profiles = pd.DataFrame(rng.normal(5, 1, (80, 100)), index=samples, columns=genes)
    lineage = pd.Series(np.repeat(["high", "low"], 40), index=samples)
    profiles.loc[lineage == "high", "HLA-E"] += 1.5
    profiles["ICAM1-COPY"] = profiles["ICAM1"] + rng.normal(0, 0.1, 80)
    signal = (profiles[list(DRIVERS)] - 5) @ np.array(list(DRIVERS.values()))
    target = (0.5 + 0.1 * signal + rng.normal(0, 0.03, 80)).rename("susceptibility")
    evidence = gene_evidence({"ICAM1": 0.8, "HLA-E": -0.8, "GENE1": 0.8, "GENE2": -0.8})
    return Study(profiles, target, lineage, evidence)


@pytest.fixture(scope="session")
def model(study: Study) -> NKSusceptibilityModel:
    return NKSusceptibilityModel(study.evidence).fit(study.profiles, study.target)


class Linear:
    """Prediction = profiles × slope + a product of two genes; harmonised = as given."""

    def __init__(self, profiles: pd.DataFrame, slope: np.ndarray, product: float = 0.0) -> None:
        self.feature_names_in_ = profiles.columns.to_numpy()
        self.slope, self.product = slope, product
        self.range_ = np.quantile(profiles.to_numpy(), [0.05, 0.95], axis=0)
        self.effect_ = slope * profiles.to_numpy().std(axis=0)
        self.mean = profiles.to_numpy().mean(axis=0)

    def prepare(self, X: object) -> HarmonisedProfiles:
        if isinstance(X, HarmonisedProfiles):
            return X
        profiles = Profiles.of(X)
        values = profiles.aligned(self.feature_names_in_)
        profiles = replace(profiles, values=values, genes=pd.Index(self.feature_names_in_))
        return HarmonisedProfiles(profiles, RankedProfiles.of(values), values, None)

    def predict(self, X: object) -> np.ndarray:
        values = self.prepare(X).values
        return values @ self.slope + self.product * values[:, 0] * values[:, 1]

    def contributions(self, X: object) -> tuple[pd.DataFrame, float]:
        prepared = self.prepare(X)
        parts = pd.DataFrame(
            (prepared.values - self.mean) * self.slope, prepared.samples, self.feature_names_in_
        )
        return parts, float(self.mean @ self.slope)

    def substituted(self, X: object, level: np.ndarray) -> np.ndarray:
        values = self.prepare(X).values
        before, change = self.predict(values), np.zeros(values.shape)
        for gene in np.flatnonzero(np.isfinite(level)):
            moved = values.copy()
            moved[:, gene] = level[gene]
            change[:, gene] = self.predict(moved) - before
        return change


@pytest.fixture
def linear() -> type[Linear]:
    return Linear
