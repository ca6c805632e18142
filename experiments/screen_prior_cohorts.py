"""Score cell lines and patient cohorts with screen-prior: medians by lineage, lost genes, coverage.

Example
-------
python -m experiments.screen_prior_cohorts --data ../my-data
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu, spearmanr

from experiments.console import print_table
from nkpredict.io import read_expression
from nkpredict.scoring import score

COHORTS = {
    "cell lines": "expression/gdsc_blood_cell_lines.csv.gz",
    "ALL patients": "patients/chiaretti_all_log2rma_genes_x_samples.csv.gz",
    "AML patients": "patients/aml100_star_counts_genes_x_samples.csv.gz",
}
MYELOID, B_LYMPHOID = ("AML", "CML"), ("B-ALL", "BCL", "HL", "MM")
HALVES = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds expression/ and patients/")
    data = parser.parse_args().data

    rows = []
    for name, file in COHORTS.items():
        profiles = read_expression(data / file)
        table = score(profiles, "screen-prior").table
        alone = score(profiles[[0]], "screen-prior").table
        rows.append(
            [
                name,
                len(table),
                *map(float, table["susceptibility"].quantile([0.05, 0.5, 0.95])),
                float(table["weight_coverage"].mean()),
                str(alone["susceptibility"].iloc[0] == table["susceptibility"].iloc[0]),
            ]
        )
    columns = ["cohort", "samples", "5 %", "median", "95 %", "evidence read", "alone = in cohort"]
    print_table("screen-prior scores", columns, rows)

    lines = read_expression(data / COHORTS["cell lines"])
    obs = pd.read_csv(data / "expression" / "gdsc_blood_cell_lines_obs.csv", index_col=0)
    lineage = obs.loc[lines.obs_names, "lineage"].to_numpy()
    full = score(lines, "screen-prior").table
    scores = full["susceptibility"]
    by_lineage = scores.groupby(lineage).agg(["size", "median"]).sort_values("median")
    print_table(
        "Cell lines by lineage",
        ["lineage", "lines", "median"],
        [[name, int(size), float(median)] for name, size, median in by_lineage.itertuples()],
    )
    groups = [scores[np.isin(lineage, names)] for names in (MYELOID, B_LYMPHOID)]
    pooled = np.sqrt(np.average([g.var() for g in groups], weights=[len(g) - 1 for g in groups]))
    effect = (groups[0].mean() - groups[1].mean()) / pooled
    p = mannwhitneyu(*groups).pvalue
    print(f"Myeloid against B-lymphoid lines: Cohen's d {effect:.2f}, Mann-Whitney p = {p:.1e}")

    halves = []
    for seed in range(HALVES):
        genes = np.random.default_rng(seed).permutation(lines.n_vars)[: lines.n_vars // 2]
        table = score(lines[:, np.sort(genes)], "screen-prior").table
        rank = spearmanr(scores, table["susceptibility"]).statistic
        halves.append((rank, table["weight_coverage"].mean()))
    rank, coverage = np.array(halves).T
    print(
        f"A random half of the genes, {HALVES} times: Spearman with the full score mean "
        f"{rank.mean():.3f}, least {rank.min():.3f}; evidence read falls from "
        f"{full['weight_coverage'].mean():.2f} to {coverage.mean():.2f}"
    )


if __name__ == "__main__":
    main()
