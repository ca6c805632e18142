"""The same input and seed give the same bytes, in any process and for any number of threads."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
import numpy as np, pandas as pd
from nkpredict import NKSusceptibilityModel
rng = np.random.default_rng(0)
profiles = pd.DataFrame(rng.normal(5, 2, (90, 1500)), columns=[f"G{i}" for i in range(1500)])
response = profiles.iloc[:, :5].sum(axis=1) + rng.normal(0, 2, 90)
model = NKSusceptibilityModel().fit(profiles, response)
parts, base = model.contributions(profiles)
novelty = model.novelty(profiles)
print(model.predict(profiles).tobytes().hex()[:4000])
print(parts.to_numpy().sum().hex(), base.hex(), novelty.tobytes().hex()[:400])
"""


def output(threads: int) -> str:
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | dict.fromkeys(variables, str(threads))
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_one_and_two_threads_give_the_same_bytes() -> None:
    one = output(1)
    assert len(one) > 1000
    assert output(2) == one
