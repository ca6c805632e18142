"""Compare the model with its peers on drug responses and on simulated killing.

The task `markers` asks another question: fitted on all samples, where do explanations place the
genes that are known to change the response?

Every model is fitted on the same folds. Fits are stored under --out; a stopped run goes on where
it was, and only what has changed is fitted again. Writes a Markdown table and a figure.

Example
-------
python -m experiments.benchmark --data ../my-data --automl-python ../automl/bin/python
"""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path

import pandas as pd
from joblib import cpu_count
from threadpoolctl import threadpool_limits

from experiments.benchmark.automl import FRAMEWORKS, automl_peers
from experiments.benchmark.markers import (
    conclusion,
    markers_markdown,
    median_ranks,
    rank_markers,
)
from experiments.benchmark.page import update_document, write_benchmark
from experiments.benchmark.peers import PEERS
from experiments.benchmark.run import add_run_options, run_as_asked
from experiments.benchmark.tasks import DRUGS, REPORT_DRUGS, drug_tasks, planted_tasks
from experiments.console import print_table, progress_bars
from nkpredict.errors import NKPredictError

WORKER = Path(__file__).with_name("automl_worker.py")
DOCUMENTS = Path("docs/benchmarks")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds expression/ and response/")
    parser.add_argument("--tasks", nargs="+", choices=["drugs", "simulated", "markers"])
    parser.add_argument("--drugs", nargs="+", help="default: those of the page")
    parser.add_argument("--seeds", type=int, default=3, help="of each simulated mechanism")
    parser.add_argument("--models", nargs="+", choices=[*PEERS, *FRAMEWORKS], metavar="MODEL")
    add_run_options(parser, out=Path("runs/benchmark"), repeats=5, jobs=cpu_count())
    parser.add_argument("--automl-python", nargs="+", type=Path, default=[Path(sys.executable)])
    parser.add_argument("--automl-seconds", type=int, default=30, help="budget of each fit")
    parser.add_argument("--bootstrap", type=int, default=1000)
    parser.add_argument("--document", type=Path, default=DOCUMENTS / "learning.md")
    parser.add_argument("--explanations", type=Path, default=DOCUMENTS / "explanations.md")
    parser.add_argument("--figure", type=Path, default=DOCUMENTS / "learning.png")
    options = parser.parse_args()
    try:
        kinds = options.tasks or ["drugs", "simulated"]
        if "markers" in kinds:
            known_markers(options)
        if set(kinds) - {"markers"}:
            benchmark(options, kinds)
    except NKPredictError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 2
    return 0


def known_markers(options: argparse.Namespace) -> None:
    """Look known markers up in explanations of several kinds; minutes on one core."""
    with threadpool_limits(1), progress_bars() as progress:
        tables = []
        tasks = drug_tasks(options.data, options.drugs or DRUGS)
        for done, task in enumerate(tasks):
            progress("drugs", done, len(tasks))
            tables.append(rank_markers(task))
        progress("drugs", len(tasks), len(tasks))
    table = pd.concat(tables, ignore_index=True)
    medians = median_ranks(table)
    update_document(options.explanations, markers_markdown(table, medians))
    print_table("Known markers, median rank", list(medians), medians.to_numpy().tolist())
    print(conclusion(medians))


def benchmark(options: argparse.Namespace, kinds: list[str]) -> None:
    tasks = drug_tasks(options.data, options.drugs or REPORT_DRUGS) if "drugs" in kinds else []
    tasks += planted_tasks(options.data, options.seeds) if "simulated" in kinds else []
    automl, absent = automl_peers(options.automl_python, WORKER, options.automl_seconds)
    peers = PEERS | automl
    if options.models:
        peers = {name: peer for name, peer in peers.items() if name in options.models}
        absent = {name: reason for name, reason in absent.items() if name in options.models}
    run = run_as_asked(tasks, peers, options)
    facts = [
        f"{len(tasks)} tasks; random split: {options.repeats} × {options.folds} folds; "
        "lineage-held-out split: each lineage once.",
        f"Intervals: 95 %, {options.bootstrap} paired bootstrap samples of the test samples.",
        "Screens of NK cells say nothing about drugs: on drug responses no evidence is given, and "
        "the screen prior takes no part.",
        f"{platform.machine()}, Python {platform.python_version()}; one thread each, processes: "
        f"{options.jobs}.",
    ]
    found = [peer.settings for name, peer in automl.items() if name in peers]
    if found:
        named = ", ".join(f"{one['framework']} {one['version']}" for one in found)
        facts.append(f"{named}: {options.automl_seconds} s for each fit, one thread.")
    comparison = write_benchmark(
        run,
        document=options.document,
        figure=options.figure,
        absent=absent,
        facts=facts,
        resamples=options.bootstrap,
    )
    for (family, split, size), part in comparison.groupby(["family", "split", "size"], sort=False):
        title = f"Mean Spearman, {family}, {split}" + (f", {size} samples" if size else "")
        rows = part.sort_values("spearman", ascending=False)
        columns = ["entrant", "spearman", "lower", "upper"]
        print_table(title, columns, rows[columns].to_numpy().tolist())
    print(f"{run.computed} fits made, {run.reused} found in {options.out}")


if __name__ == "__main__":
    sys.exit(main())
