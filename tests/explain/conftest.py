"""A fitted model, and a linear one whose every answer can be computed by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from nkpredict import GeneEvidence, NKSusceptibilityModel

DRIVERS = {"ICAM1": 1.0, "CD58": 0.8, "HLA-E": -1.0}


@dataclass(frozen=True)
class Study:
    """Training data with three drivers; the lineage ``high`` has much HLA-E."""

    profiles: pd.DataFrame
    target: pd.Series
    lineage: pd.Series
    evidence: GeneEvidence


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
    table = pd.DataFrame(
        {
            "evidence": [0.8, -0.8, 0.8, -0.8],
            "confidence": 0.8,
            "n_screens": 1,
            "agreement": 1.0,
            "conflict": False,
        },
        index=pd.Index(["ICAM1", "HLA-E", "GENE1", "GENE2"], name="gene"),
    )
    return Study(profiles, target, lineage, GeneEvidence(table))


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

    def harmonised(self, X: pd.DataFrame) -> pd.DataFrame:
        return X.reindex(columns=self.feature_names_in_)

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        values = X.to_numpy()
        return values @ self.slope + self.product * values[:, 0] * values[:, 1]

    def contributions(self, X: pd.DataFrame) -> tuple[pd.DataFrame, float]:
        return (X - self.mean) * self.slope, float(self.mean @ self.slope)

    def substituted(self, X: pd.DataFrame, level: np.ndarray) -> np.ndarray:
        before, change = self.predict(X), np.zeros(X.shape)
        for gene in np.flatnonzero(np.isfinite(level)):
            moved = X.copy()
            moved.iloc[:, gene] = level[gene]
            change[:, gene] = self.predict(moved) - before
        return change


@pytest.fixture
def linear() -> type[Linear]:
    return Linear
