"""Build data/examples/chiaretti_all.parquet and its covariates from text exports of the cohort.

The Bioconductor package ALL holds log2 RMA intensities of probe sets; the export has them
collapsed to gene symbols. Values are rounded to the four decimals that the export carries. The
covariates get one column more: days from complete remission to the last date.

Example
-------
python experiments/build_example_cohort.py --expression genes_x_samples.csv.gz --obs obs.csv
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from nkpredict.io import atomic_path, write_csv

_DATES = "%m/%d/%Y"
FOLDER = Path(__file__).parents[1] / "data" / "examples"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--expression", type=Path, required=True, help="genes x samples, CSV")
    parser.add_argument("--obs", type=Path, required=True, help="covariates, one row a sample")
    options = parser.parse_args()

    # text throughout: sample names such as 01005 would lose their zero as numbers
    expression = pd.read_csv(options.expression, index_col=0, dtype={0: str})
    expression = expression.round(4).astype(np.float32).rename_axis("gene").reset_index()
    covariates = pd.read_csv(options.obs, dtype=str, keep_default_na=False)
    covariates = covariates.set_index(covariates.columns[0]).rename_axis("sample")
    if list(covariates.index) != list(expression.columns[1:]):
        raise SystemExit("The covariates do not describe the samples of the expression in order.")

    covariates["days_in_remission"] = days_in_remission(covariates)

    with atomic_path(FOLDER / "chiaretti_all.parquet") as path:
        # hardly any value repeats, so a dictionary would only add to the size
        expression.to_parquet(
            path, index=False, compression="zstd", compression_level=19, use_dictionary=False
        )
    write_csv(FOLDER / "chiaretti_all_obs.csv", covariates)
    print(f"{len(expression)} genes, {len(covariates)} samples")


def days_in_remission(covariates: pd.DataFrame) -> pd.Series:
    """Days from complete remission to relapse or to the last visit; empty where a date is not."""
    remission, last = (
        pd.to_datetime(covariates[column], format=_DATES, errors="coerce")
        for column in ("date.cr", "date last seen")
    )
    days = (last - remission).dt.days
    return days.map(lambda number: "" if pd.isna(number) else str(int(number)))


if __name__ == "__main__":
    main()
