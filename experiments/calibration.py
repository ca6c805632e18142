"""Carry models over to another laboratory by 5, 10 and 20 lines, on pairs of drug responses.

One response is the laboratory that trains, the other the one that calibrates with some lines and is
tested on the rest. No drug was measured in both GDSC1 (ln IC50) and GDSC2 (area under the curve)
here, so three kinds of pairs stand for it: the drugs of both that correlate best (another unit,
little in common), two drugs of one screen that correlate (one unit, another level), and one drug
with a second laboratory that is SIMULATED (0.25 + 0.7 of the response, noise of 0.07).

Prints the error on lines that neither saw: of the model as it was, of the calibrated one, and of
the mean of the own lines, which stands in where lines are refused; and how often lines are refused,
as they are, shuffled and reversed.

Example
-------
python -m experiments.calibration --data ../my-data
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from experiments.console import print_table, progress_bars
from nkpredict.errors import InputError
from nkpredict.io import read_expression
from nkpredict.learn import CalibratedModel, NKSusceptibilityModel, fit_warnings_ignored

SIZES, DRAWS = (5, 10, 20), 10
LEAST_CORRELATION, BEST = 0.5, 3
ACROSS, WITHIN, PLANTED = "GDSC1 to GDSC2", "two drugs of one screen", "SIMULATED second laboratory"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds expression/ and response/")
    data = parser.parse_args().data
    profiles = read_expression(data / "expression" / "gdsc_blood_cell_lines.csv.gz").to_df()
    # susceptibility: higher is killed more easily
    gdsc1 = -_responses(data / "response" / "gdsc1_lnic50_blood.csv", profiles)
    gdsc2 = 1 - _responses(data / "response" / "gdsc2_auc_blood.csv", profiles)
    found = pairs(gdsc1, gdsc2)
    print_table(
        "Pairs of laboratories",
        ["kind", "trains", "calibrates", "Spearman", "lines"],
        [[kind, a.name, b.name, *_correlation(a, b)] for kind, a, b in found],
    )
    rows = []
    with progress_bars() as report:
        for done, (kind, trains, calibrates) in enumerate(found):
            report("pairs", done, len(found))
            rows += carried_over(profiles, kind, trains, calibrates)
        report("pairs", len(found), len(found))
    print_errors(pd.DataFrame(rows))


def pairs(gdsc1: pd.DataFrame, gdsc2: pd.DataFrame) -> list[tuple[str, pd.Series, pd.Series]]:
    """Kind of pair, response that trains, response that calibrates."""
    across = [(gdsc1[a], gdsc2[b]) for a in gdsc1 for b in gdsc2]
    within = [(one[a], one[b]) for one in (gdsc1, gdsc2) for a, b in combinations(one, 2)]
    ranked = sorted(across, key=lambda pair: -_correlation(*pair)[0])
    close = [pair for pair in ranked if _correlation(*pair)[0] >= LEAST_CORRELATION]
    alike = [pair for pair in within if _correlation(*pair)[0] >= LEAST_CORRELATION]
    rng = np.random.default_rng(0)
    second = 0.25 + 0.7 * gdsc2 + rng.normal(0, 0.07, gdsc2.shape)
    return [
        *((ACROSS, a, b) for a, b in (close or ranked[:BEST])),
        *((WITHIN, a, b) for a, b in alike),
        *((PLANTED, gdsc2[drug], second[drug]) for drug in gdsc2),
    ]


def carried_over(
    profiles: pd.DataFrame, kind: str, trains: pd.Series, calibrates: pd.Series
) -> list[dict]:
    """Train once on two thirds of the lines; calibrate and test on lines that it has not seen."""
    lines = np.random.default_rng(1).permutation(trains.dropna().index)
    seen = lines[: 2 * len(lines) // 3]
    with fit_warnings_ignored():
        model = NKSusceptibilityModel().fit(profiles.loc[seen], trains[seen])
    other = calibrates.dropna().drop(index=seen, errors="ignore")
    about = {"kind": kind, "pair": f"{trains.name} {calibrates.name}", "sd": other.std()}
    interval = model.predict_interval(profiles.loc[other.index])
    rows = [
        about | {"lines": 0} | _errors(model.predict(profiles.loc[other.index]), interval, other)
    ]
    for size in SIZES:
        for draw in range(DRAWS):
            rng = np.random.default_rng([size, draw])
            own = other.sample(size, random_state=rng)
            rest = other.drop(index=own.index)
            mean = own.mean()
            half = student_t.ppf(0.95, size - 1) * own.std() * np.sqrt(1 + 1 / size)
            taken = [np.full(len(rest), mean), np.tile([mean - half, mean + half], (len(rest), 1))]
            plain = _errors(*taken, rest)
            fitted = _calibrated(model, profiles, own, kind != ACROSS)
            if fitted is not None:
                test = profiles.loc[rest.index]
                taken = [fitted.predict(test), fitted.predict_interval(test)]
            changed = {
                "shuffled": pd.Series(rng.permutation(own), index=own.index),
                "reversed": own.max() + own.min() - own,
            }
            rows.append(
                about
                | {"lines": size, "refused": float(fitted is None)}
                | _errors(*taken, rest)
                | {f"mean_{name}": value for name, value in plain.items()}
                | {
                    f"refused_{name}": float(
                        _calibrated(model, profiles, one, kind != ACROSS) is None
                    )
                    for name, one in changed.items()
                }
            )
    return rows


def print_errors(rows: pd.DataFrame) -> None:
    """Errors in standard deviations of the calibrating laboratory, by kind and size."""
    measures = ["rmse", "level", "width", "mean_rmse", "mean_level", "mean_width"]
    rows[measures] = rows[measures].div(rows["sd"], axis=0)
    table = rows.groupby(["kind", "lines"], sort=False).mean(numeric_only=True).reset_index()
    columns = ["rmse", "level", "coverage", "width", "mean_rmse", "mean_level", "mean_width"]
    print_table(
        "Errors on unseen lines, in SD of the laboratory (mean_: the mean of the own lines)",
        ["kind", "lines", *columns],
        table[["kind", "lines", *columns]].to_numpy().tolist(),
    )
    refused = ["refused", "refused_shuffled", "refused_reversed"]
    own = table[table["lines"] > 0]
    print_table(
        "Share of draws that were refused",
        ["kind", "lines", "as measured", "shuffled", "reversed"],
        own[["kind", "lines", *refused]].to_numpy().tolist(),
    )


def _calibrated(
    model: NKSusceptibilityModel, profiles: pd.DataFrame, own: pd.Series, same_unit: bool
) -> CalibratedModel | None:
    try:
        return CalibratedModel(model, same_unit).fit(profiles.loc[own.index], own)
    except InputError:
        return None


def _errors(predicted: np.ndarray, interval: np.ndarray, measured: pd.Series) -> dict[str, float]:
    lower, upper = interval.T
    error = predicted - measured
    return {
        "rmse": float(np.sqrt(np.mean(error**2))),
        "level": float(abs(error.mean())),
        "coverage": float(measured.between(lower, upper).mean()),
        "width": float((upper - lower).mean()),
    }


def _responses(file: Path, profiles: pd.DataFrame) -> pd.DataFrame:
    table = pd.read_csv(file, index_col=0)
    return table[table.index.astype(str).isin(profiles.index)].rename(index=str)


def _correlation(one: pd.Series, other: pd.Series) -> tuple[float, int]:
    both = pd.concat([one, other], axis=1).dropna()
    return float(both.iloc[:, 0].corr(both.iloc[:, 1], method="spearman")), len(both)


if __name__ == "__main__":
    main()
