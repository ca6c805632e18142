"""Measure the registry with many versions and many processes, on a SIMULATED model.

Look-ups are timed inside a process, commands from their start to their end.

Example
-------
python -m experiments.registry_load --versions 500 --processes 4 8
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.console import print_table
from nkpredict import NKSusceptibilityModel, Registry, save_bundle
from nkpredict.facts import ModelFacts

REPEATS = 5
REGISTER = """
import sys
from nkpredict import Registry
print(Registry(sys.argv[1]).register(sys.argv[2], "m"))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--versions", type=int, default=500)
    parser.add_argument("--processes", nargs="*", type=int, default=[4, 8])
    parser.add_argument("--registry", help="URI of an empty registry on a server to measure too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = simulated_model()
        rows = [many_versions(model, folder, options.versions)]
        if options.registry:
            rows.append(many_versions(model, folder, options.versions, options.registry))
        measures = ("look-up", "models list", "models show")
        columns = [f"{measure}, {of} (s)" for measure in measures for of in ("wall", "CPU")]
        print_table("Median cost (SIMULATED)", ["store", "versions", *columns], rows)
        rows = [many_processes(model, folder, number) for number in options.processes]
        columns = ["processes", "registered", "versions", "champions", "seconds"]
        print_table("Processes on a fresh SQLite registry (SIMULATED)", columns, rows)


def simulated_model() -> NKSusceptibilityModel:
    rng = np.random.default_rng(0)
    profiles = pd.DataFrame(rng.normal(5, 2, (50, 120)), columns=[f"SIM-{i}" for i in range(120)])
    response = 0.5 + 0.05 * profiles.iloc[:, 0] + rng.normal(0, 0.05, 50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return NKSusceptibilityModel().fit(profiles, response)


def many_versions(
    model: NKSusceptibilityModel, folder: Path, versions: int, location: str | None = None
) -> list[object]:
    from mlflow import MlflowClient

    place = location or str(folder / "many")
    registry = Registry(place)
    bundle = save_bundle(model, folder / "bundle", ModelFacts(name="m", simulated=True))
    registry.register(bundle, "m")
    client = MlflowClient(registry.settings.tracking_uri, registry.settings.registry_uri)
    first = client.get_model_version("m", "1")
    for _ in range(versions - 1):
        client.create_model_version(
            "m",
            first.source,
            run_id=first.run_id,
            tags=first.tags,
            await_creation_for=0,
            model_id=first.source.split("/")[-2],
        )
    registry.refresh()
    nkpredict = str(Path(sys.executable).with_name("nkpredict"))
    costs = median(lambda: Registry(place).find("m@champion"))
    for command in (["list"], ["show", f"m/{versions}"]):
        words = [nkpredict, "models", *command, "--registry", place, "--quiet"]
        costs += median(partial(subprocess.run, words, check=True))
    return ["SQLite" if location is None else "server", versions, *costs]


def many_processes(model: NKSusceptibilityModel, folder: Path, number: int) -> list[object]:
    bundles = [
        save_bundle(model, folder / f"{number}-{i}", ModelFacts(name=str(i))) for i in range(number)
    ]
    place = folder / f"fresh-{number}"
    begun = time.perf_counter()
    processes = [
        subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", REGISTER, str(place), str(bundle)], stdout=subprocess.DEVNULL
        )
        for bundle in bundles
    ]
    registered = sum(process.wait() == 0 for process in processes)
    seconds = time.perf_counter() - begun
    (listed,) = Registry(place).models()
    champions = int("champion" in listed["aliases"])
    return [number, registered, len(listed["versions"]), champions, seconds]


def median(call: Callable[[], object]) -> list[float]:
    """Median wall and CPU seconds of a call, processes it waits for included."""
    costs = []
    for _ in range(REPEATS):
        begun, used = time.perf_counter(), cpu_seconds()
        call()
        costs.append((time.perf_counter() - begun, cpu_seconds() - used))
    return [statistics.median(each) for each in zip(*costs, strict=True)]


def cpu_seconds() -> float:
    usage = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in usage)


if __name__ == "__main__":
    main()
