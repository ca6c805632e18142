"""The same input and seed give the same bytes, in any process and for any number of threads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LEARN = """
import numpy as np, pandas as pd
from nkpredict import NKSusceptibilityModel
rng = np.random.default_rng(0)
profiles = pd.DataFrame(rng.normal(5, 2, (90, 1500)), columns=[f"G{i}" for i in range(1500)])
response = profiles.iloc[:, :5].sum(axis=1) + rng.normal(0, 2, 90)
model = NKSusceptibilityModel().fit(profiles, response)
parts, base = model.contributions(profiles)
novelty = model.novelty(profiles)
print(model.predict(profiles).tobytes().hex()[:4000])
evidence = np.zeros(1500)
evidence[:5], evidence[100:105] = 0.8, 0.6
print(NKSusceptibilityModel(evidence).fit(profiles, response).effect_.tobytes().hex())
print(parts.to_numpy().sum().hex(), base.hex(), novelty.tobytes().hex()[:400])
"""

EXPLAIN = """
import numpy as np, pandas as pd
from nkpredict import NKSusceptibilityModel
from nkpredict.explain import driver_scores, explain, interactions, knockout, stability
rng = np.random.default_rng(0)
profiles = pd.DataFrame(rng.normal(5, 2, (40, 150)), columns=[f"G{i}" for i in range(150)])
target = profiles.iloc[:, :5].sum(axis=1) + rng.normal(0, 2, 40)
groups = ["a", "b"] * 20
model = NKSusceptibilityModel(folds=2).fit(profiles, target)
explanation = explain(model, profiles, groups)
found = [
    explanation.contributions,
    explanation.contrast("a", "b", permutations=99).drop(columns="gene"),
    knockout(model, profiles, carry_along=True, reference=profiles).changes,
    interactions(model, profiles.iloc[:3], top=3)[["interaction"]],
    stability(NKSusceptibilityModel(folds=2), profiles, target, resamples=2).effects,
    driver_scores(profiles, target, steps=200).drop(columns="gene"),
]
for table in found:
    print(table.to_numpy(float).tobytes().hex()[:4000], float(table.to_numpy(float).sum()).hex())
"""


def output(code: str, threads: int) -> str:
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | dict.fromkeys(variables, str(threads))
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("code", [LEARN, EXPLAIN], ids=["learn", "explain"])
def test_one_and_two_threads_give_the_same_bytes(code: str) -> None:
    one = output(code, 1)
    assert len(one) > 1000
    assert output(code, 2) == one
