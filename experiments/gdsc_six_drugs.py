"""Compare the model with naive baselines and generic learners on six real drug responses.

The same 167 blood-cancer lines, the same folds for every model; prints one table of Spearman
correlations on unseen samples and writes every prediction.

Example
-------
python experiments/gdsc_six_drugs.py --data ../my-data --out runs/six-drugs --trials 0
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pandas as pd

from nkpredict import nested_cross_validate, read_panel
from nkpredict.cli.console import print_table, stages
from nkpredict.cli.train import default_jobs
from nkpredict.io.writing import write_csv
from nkpredict.training.spec import read_spec

DRUGS = ("Venetoclax", "AZD5991", "Dasatinib", "Trametinib", "Talazoparib", "Gemcitabine")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds expression/ and response/")
    parser.add_argument("--out", type=Path, default=Path("runs/six-drugs"))
    parser.add_argument("--trials", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=default_jobs())
    options = parser.parse_args()

    spec = read_spec()
    summaries, predictions = [], []
    started = time.perf_counter()
    with stages(quiet=False) as progress:
        for drug in DRUGS:
            panel = read_panel(
                options.data / "expression" / "gdsc_blood_cell_lines.csv.gz",
                options.data / "response" / "gdsc2_auc_blood.csv",
                target=drug,
                direction="lower-is-sensitive",
                obs=options.data / "expression" / "gdsc_blood_cell_lines_obs.csv",
            )
            result = nested_cross_validate(
                spec.model(),
                panel,
                "susceptibility",
                "lineage",
                space=spec.search_space,
                trials=options.trials,
                repeats=options.repeats,
                peers=True,
                n_jobs=options.jobs,
                progress=lambda done, total, split, drug=drug: progress(drug, done, total),
            )
            summaries.append(result.summary.assign(task=drug))
            predictions.append(result.predictions.assign(task=drug))
    summary = pd.concat(summaries)
    write_csv(options.out / "summary.csv", summary.set_index("task"))
    write_csv(options.out / "predictions.csv", pd.concat(predictions).set_index("task"))
    for split, part in summary.groupby("split", sort=False):
        wide = part.pivot_table(index="task", columns="model", values="spearman", sort=False)
        wide.loc["mean"] = wide.mean(axis=0)
        wide.loc["mean within lineage"] = part.groupby("model")["spearman_within_lineage"].mean()
        rows = [[str(task), *map(float, row)] for task, row in wide.iterrows()]
        print_table(f"Spearman on unseen samples, {split}", ["", *wide.columns], rows)
    print(f"{time.perf_counter() - started:.0f} s with {options.jobs} processes")


if __name__ == "__main__":
    main()
