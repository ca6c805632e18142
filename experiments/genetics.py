"""Ask whether mutations and copy number pay beside expression, on the choice half of the tasks.

The ridge alone, on the lines that have both: without genetics; with every event as one more gene;
and with the events as a block that besides takes a share of the prior (0.1, 0.3 or 0.5), averaged
by held-out likelihood as evidence is. Events that fewer than five lines carry are left out.

Example
-------
python -m experiments.genetics --data ../my-data
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin

from experiments.benchmark.peers import PEERS, Peer
from experiments.benchmark.run import run_benchmark
from experiments.benchmark.summary import against_best_peer, score_tasks
from experiments.benchmark.tasks import CHOICE_DRUGS, BenchmarkTask, drug_tasks
from experiments.console import print_table, progress_bars
from nkpredict.evaluate import OUR_MODEL, SPLITS
from nkpredict.learn import EvidenceRidge, normal_scores

TABLE = Path("genetics") / "gdsc_mutations_cna_blood_cell_lines.csv.gz"
FEWEST_CARRIERS = 5
SHARES = (0.1, 0.3, 0.5)
EVENT = "genetics:"
WITHOUT, AS_GENES, AS_BLOCK = "without genetics", "events as genes", "events as a block"


class RidgeWithEvents(RegressorMixin, BaseEstimator):
    """The ridge on normal scores, with genetic events beside expression in one of three ways."""

    def __init__(self, way: str = WITHOUT) -> None:
        self.way = way

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Self:
        """Fit the ridge."""
        event = X.columns.str.startswith(EVENT)
        self.columns_ = X.columns[~event] if self.way == WITHOUT else X.columns
        ridge = EvidenceRidge()
        if self.way == AS_BLOCK:
            ridge = EvidenceRidge(event.astype(float), trust=SHARES, direction=())
        target = normal_scores(np.asarray(y, dtype=np.float64))
        self.fitted_ = ridge.fit(X[self.columns_], target)
        return self

    def predict(self, X: pd.DataFrame) -> Any:
        """Predict one number a sample."""
        return self.fitted_.predict(X[self.columns_])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="expression/, response/, genetics/"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/genetics"), help="stored fits")
    parser.add_argument("--drugs", nargs="+", default=list(CHOICE_DRUGS))
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    events = pd.read_csv(options.data / TABLE, index_col=0)
    tasks = [with_events(task, events) for task in drug_tasks(options.data, options.drugs)]
    sources = (Path(__file__), *PEERS[OUR_MODEL].sources)
    with progress_bars() as progress:
        run = run_benchmark(
            tasks,
            {way: peer_of(way, sources) for way in (WITHOUT, AS_GENES, AS_BLOCK)},
            folder=options.out,
            splits=SPLITS,
            repeats=options.repeats,
            progress=progress,
        )
    scores = score_tasks(run.predictions)
    for split, part in scores.groupby("split", sort=False):
        rows = []
        for way in (AS_GENES, AS_BLOCK):
            for one in against_best_peer(part, way, [WITHOUT]).itertuples():
                change = f"{one.difference:+.3f} ({one.lower:+.3f} to {one.upper:+.3f})"
                rows.append([way, one.measure, one.ours, one.best, change, f"{one.ahead}"])
        columns = ["events", "measure", "with", "without", "difference (95 %)", "ahead on"]
        print_table(f"{split}, {len(tasks)} responses", columns, rows)


def with_events(task: BenchmarkTask, events: pd.DataFrame) -> BenchmarkTask:
    """Keep the lines that have genetics, and set their events beside the genes."""
    both = task.profiles.index.isin(events.index)
    own = events.loc[task.profiles.index[both]].astype(float)
    carriers = (own != 0).sum()
    own = own.loc[:, (carriers >= FEWEST_CARRIERS) & (own.std() > 0)].add_prefix(EVENT)
    return replace(
        task,
        profiles=pd.concat([task.profiles[both], own], axis=1),
        target=task.target[both],
        lineage=task.lineage[both],
    )


def peer_of(way: str, sources: tuple[Path, ...]) -> Peer:
    """Build the ridge in one of the three ways."""
    return Peer(lambda setting: RidgeWithEvents(way), sources=sources)


if __name__ == "__main__":
    main()
