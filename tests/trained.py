"""One trained model, saved once, for every test that needs a model but not a certain one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import GeneEvidence, NKSusceptibilityModel, save_bundle
from nkpredict.facts import ModelFacts, ResponseFacts, TrainingFacts
from nkpredict.learn import EvidenceBoosting, EvidenceRidge

RESPONSE = ResponseFacts(offset=1.0, slope=-1.0, unit="viability AUC")


@pytest.fixture(scope="session")
def trained_model(genes: list[str]) -> NKSusceptibilityModel:
    """Fit the response to one gene up and one down, each with evidence, over 50 samples."""
    rng = np.random.default_rng(0)
    profiles = pd.DataFrame(rng.normal(5, 2, (50, len(genes))), columns=genes)
    response = 0.5 + 0.05 * (profiles.iloc[:, 0] - profiles.iloc[:, 1]) + rng.normal(0, 0.05, 50)
    evidence = pd.DataFrame(
        {
            "evidence": [0.9, -0.7],
            "confidence": [0.9, 0.7],
            "n_screens": [3, 2],
            "agreement": [1.0, 0.8],
            "conflict": [False, False],
        },
        index=pd.Index(genes[:2], name="gene"),
    )
    learners = [EvidenceRidge(), EvidenceBoosting()]  # trees are stored in files of their own
    model = NKSusceptibilityModel(evidence=GeneEvidence(evidence), learners=learners)
    return model.fit(profiles, response)


@pytest.fixture(scope="session")
def bundle(trained_model: NKSusceptibilityModel, tmp_path_factory) -> Path:
    """Save the trained model; tests copy it before they change it."""
    metadata = ModelFacts(name="m", training=TrainingFacts(response=RESPONSE))
    return save_bundle(trained_model, tmp_path_factory.mktemp("b") / "bundle", metadata)
