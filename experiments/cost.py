"""Measure how time and memory of training grow with samples and genes, on SIMULATED profiles.

Each size runs in a process of its own, so that its peak memory is its own.

Example
-------
python -m experiments.cost --samples 63 250 1000 --genes 1000 5000
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings

import numpy as np
import pandas as pd

from experiments.console import print_table
from nkpredict import NKSusceptibilityModel

DRIVERS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", nargs="+", type=int, default=[63, 125, 250, 500, 1000, 2000])
    parser.add_argument("--genes", nargs="+", type=int, default=[1000, 5000, 20000])
    parser.add_argument("--one", nargs=2, type=int, metavar=("SAMPLES", "GENES"))
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one)))
        return
    rows = []
    for genes in options.genes:
        for samples in options.samples:
            rows.append([samples, genes, *in_new_process(samples, genes)])
            # a long run that is stopped has told what it found
            print(*rows[-1], file=sys.stderr)
    columns = ["samples", "genes", "fit s", "predict s", "peak memory GB", "of it fit GB"]
    print_table("Cost of training on SIMULATED profiles, one thread", columns, rows)


def in_new_process(samples: int, genes: int) -> list[float]:
    command = [sys.executable, "-m", "experiments.cost", "--one", str(samples), str(genes)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return json.loads(done.stdout)


def measure(samples: int, genes: int) -> list[float]:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(samples, genes))
    response = values[:, :DRIVERS].sum(axis=1) / np.sqrt(DRIVERS) + rng.normal(size=samples)
    names = [f"SIM-{number}" for number in range(genes)]
    profiles = pd.DataFrame(values, columns=names, index=[f"SIM-S{n}" for n in range(samples)])
    before = peak_gigabytes()
    warnings.simplefilter("ignore")  # with few samples of noise there may be no skill
    started = time.perf_counter()
    model = NKSusceptibilityModel().fit(profiles, response)
    fitted = time.perf_counter()
    model.predict(profiles)
    ended = time.perf_counter()
    peak = peak_gigabytes()
    return [fitted - started, ended - fitted, peak, peak - before]


def peak_gigabytes() -> float:
    # Linux counts in kilobytes, macOS in bytes
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


if __name__ == "__main__":
    main()
