"""Score cell lines and patient cohorts with screen-prior, beside what it must beat.

Prints scores and evidence read by cohort, the median of each lineage, how well score and baselines
order the lineages as published, what the axes are worth alone, and the same lines on two platforms.
The lineages are six points: the random sets say what such a correlation is worth.

Example
-------
python -m experiments.screen_prior_cohorts --data ../my-data
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from experiments.console import print_table
from nkpredict.evaluate import (
    PUBLISHED_LINEAGE_ORDER,
    hla_class_i_index,
    ligand_index,
    random_signed_sets,
)
from nkpredict.io import read_expression
from nkpredict.registry import load_bundle
from nkpredict.scoring import score
from nkpredict.shipped import shipped_path

COHORTS = {
    "cell lines, arrays": "expression/gdsc_blood_cell_lines.csv.gz",
    "cell lines, RNA-seq": "expression/hpa_cell_lines_log2ptpm.csv.gz",
    "ALL patients": "patients/chiaretti_all_log2rma_genes_x_samples.csv.gz",
    "AML patients": "patients/aml100_star_counts_genes_x_samples.csv.gz",
}
DRAWS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds expression/ and patients/")
    data = parser.parse_args().data
    profiles = {name: read_expression(data / file) for name, file in COHORTS.items()}
    scored = {name: score(one, "screen-prior") for name, one in profiles.items()}
    print_cohorts(profiles, scored)
    obs = pd.read_csv(data / "expression" / "gdsc_blood_cell_lines_obs.csv", index_col=0)
    lines = "cell lines, arrays"
    print_lineages(profiles[lines].to_df(), scored[lines], obs["lineage"])
    print_platforms(scored, obs["CCLEName"])


def print_cohorts(profiles: dict, scored: dict) -> None:
    """Scores, evidence read, domain, and whether a sample scores alone as in its cohort."""
    rows = []
    for name, scores in scored.items():
        table = scores.table
        alone = score(profiles[name][[0]], "screen-prior").table
        rows.append(
            [
                name,
                len(table),
                *map(float, table["susceptibility"].quantile([0.05, 0.5, 0.95])),
                float(table["weight_coverage"].mean()),
                float((~table["in_domain"]).mean()),
                str(alone["susceptibility"].iloc[0] == table["susceptibility"].iloc[0]),
            ]
        )
    columns = ["cohort", "samples", "5 %", "median", "95 %", "evidence read", "outside", "alone"]
    print_table("screen-prior scores", columns, rows)


def print_lineages(lines: pd.DataFrame, scores, lineage: pd.Series) -> None:
    """Medians by lineage, and the order of lineages by score, axes and baselines."""
    lineage = lineage.loc[lines.index]
    axes = scores.axes.pivot_table("score", "sample", "axis").loc[lines.index]
    judged = axes.assign(
        **{
            "screen-prior": scores.table["susceptibility"],
            "ligand index": ligand_index(lines),
            "HLA class I alone": hla_class_i_index(lines),
        }
    )
    medians = judged.groupby(lineage).median()
    ordered = medians["screen-prior"].sort_values()
    print_table(
        "Cell lines by lineage",
        ["lineage", "lines", "median"],
        [[name, int((lineage == name).sum()), float(value)] for name, value in ordered.items()],
    )
    names = list(PUBLISHED_LINEAGE_ORDER)
    published = [-PUBLISHED_LINEAGE_ORDER[name] for name in names]
    rows = [
        [name, float(spearmanr(medians.loc[names, name], published).statistic)]
        for name in ["screen-prior", "ligand index", "HLA class I alone", *axes.columns]
    ]
    bundle = load_bundle(shipped_path("models", "screen-prior", "bundle"))
    size = len(bundle.model.axis_score.positions_)
    random = random_signed_sets(lines, size, DRAWS, random_state=0)
    by_draw = pd.DataFrame(random.T, index=lines.index).groupby(lineage).median().loc[names]
    found = by_draw.apply(lambda draw: spearmanr(draw, published).statistic)
    low, high = found.quantile([0.05, 0.95])
    print_table("Medians of six lineages against the published order", ["by", "Spearman"], rows)
    print(
        f"{DRAWS} random signed sets of {size} genes: {low:.2f} to {high:.2f} (90 %); "
        f"{(found >= rows[0][1]).mean():.0%} reach screen-prior"
    )


def print_platforms(scored: dict, names: pd.Series) -> None:
    """Lines measured on both platforms: order, shift of level in spreads of the lines."""
    known = {_plain(name.split("_")[0]): line for line, name in names.dropna().items()}
    arrays = scored["cell lines, arrays"].table["susceptibility"]
    both = {
        name: known[_plain(name)]
        for name in scored["cell lines, RNA-seq"].table.index
        if known.get(_plain(name)) in arrays.index
    }
    sequenced = scored["cell lines, RNA-seq"].table["susceptibility"].loc[list(both)].to_numpy()
    array = arrays.loc[list(both.values())].to_numpy()
    shift = np.mean(sequenced - array) / arrays.std()
    print(
        f"{len(both)} lines on both platforms: Spearman "
        f"{spearmanr(sequenced, array).statistic:.2f}, level shift {shift:+.2f} spreads"
    )


def _plain(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())


if __name__ == "__main__":
    main()
