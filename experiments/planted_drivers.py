"""Find planted drivers of a SIMULATED response on real expression; the truth is known.

Compares rankings of genes: by evidence alone, by correlation, by coefficients of ridges, by plain
LightGBM, by the model's effect and by the posterior probability of driving. AUPRC over all genes,
and over the genes that no evidence names; means over seeds with 95 % bootstrap intervals. Beside
them, what the probabilities are worth: the share of drivers among genes of like probability.

Example
-------
python -m experiments.planted_drivers --data ../my-data --first-seed 10 --seeds 15
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from experiments.console import print_table
from nkpredict import GeneEvidence, NKSusceptibilityModel
from nkpredict.explain import driver_scores
from nkpredict.facts import EvidenceFacts
from nkpredict.features import correlation_with
from nkpredict.io import write_csv
from nkpredict.learn import ChanceSkillWarning, EvidenceRidge
from nkpredict.simulate import EVIDENCE_QUALITIES, MECHANISMS, PlantedResponse, plant_response

EVIDENCE_ALONE, OURS = "evidence alone", "driver probability"
AGNOSTIC = ("correlation", "LightGBM |SHAP|")
BOOTSTRAPS = 2000
RIGHT_DRAWS = 200
BINS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
LEAST_PROBABILITY = BINS[1]
"""Almost all genes lie below; what is off among the others would be lost in them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds expression/")
    parser.add_argument("--first-seed", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=15)
    parser.add_argument("--mechanism", choices=MECHANISMS, default="additive")
    parser.add_argument("--evidence", choices=EVIDENCE_QUALITIES, default="true")
    parser.add_argument("--noise", type=float, default=0.6)
    parser.add_argument("--steps", type=int, default=3000, help="of each chain")
    parser.add_argument("--chains", type=int, default=2)
    parser.add_argument("--alone", action="store_true", help="leave other rankings out")
    parser.add_argument("--out", type=Path, help="CSV of every value")
    options = parser.parse_args()

    folder = options.data / "expression"
    expression = pd.read_csv(folder / "gdsc_blood_cell_lines.csv.gz", index_col=0)
    lines = pd.read_csv(folder / "gdsc_blood_cell_lines_obs.csv", index_col=0)
    lineage = lines.loc[expression.index, "lineage"]
    rows, judgements = [], []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        planted = plant_response(
            expression, lineage, options.mechanism, noise_sd=options.noise, random_state=seed
        )
        evidence = GeneEvidence(planted.evidence(options.evidence), EvidenceFacts(simulated=True))
        response = planted.susceptibility
        found = driver_scores(
            expression,
            response,
            evidence,
            steps=options.steps,
            chains=options.chains,
            random_state=seed,
        ).set_index("gene")
        scores = {EVIDENCE_ALONE: np.abs(evidence.for_genes(expression.columns))}
        if not options.alone:
            scores |= other_rankings(expression, response, evidence, seed)
        scores |= {OURS: found["probability"]}
        for name, values in scores.items():
            index = getattr(values, "index", expression.columns)
            score = pd.Series(values, index).reindex(expression.columns).fillna(0.0)
            rows.append({"seed": seed, "ranking": name, **judged(score, planted, evidence)})
        driver = found.index.isin(planted.drivers.index)
        known = evidence.for_genes(found.index) != 0
        judgements.append(found[["probability"]].assign(driver=driver, known=known))
        print(f"seed {seed} done", flush=True)
    values = pd.DataFrame(rows)
    show(values, options)
    show_reliability(pd.concat(judgements))
    if options.out is not None:
        write_csv(options.out, values.set_index("seed"))


def other_rankings(
    expression: pd.DataFrame, response: pd.Series, evidence: GeneEvidence, seed: int
) -> dict[str, np.ndarray | pd.Series]:
    """Score every gene by each method but ours; the larger, the more a driver."""
    import lightgbm

    values, target = expression.to_numpy(), response.to_numpy()
    plain = lightgbm.train(
        {
            "verbosity": -1,
            "num_threads": 1,
            "seed": seed,
            "deterministic": True,
            "force_col_wise": True,
        },
        lightgbm.Dataset(values, target),
        100,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ChanceSkillWarning)
        model = NKSusceptibilityModel(evidence).fit(expression, response)
    return {
        "correlation": np.abs(correlation_with(values, target)),
        "LightGBM |SHAP|": np.abs(plain.predict(values, pred_contrib=True)[:, :-1]).mean(axis=0),
        "ridge coefficient": np.abs(EvidenceRidge().fit(expression, response).coef_),
        "evidence ridge coefficient": np.abs(
            EvidenceRidge(evidence).fit(expression, response).coef_
        ),
        "model effect": pd.Series(np.abs(model.effect_), model.feature_names_in_),
    }


def judged(score: pd.Series, planted: PlantedResponse, evidence: GeneEvidence) -> dict[str, float]:
    """AUPRC of drivers, and where known drivers and decoys come to stand."""
    genes = score.index
    driver = genes.isin(planted.drivers.index)
    silent = evidence.for_genes(genes) == 0
    known = genes.isin(planted.drivers.index[planted.drivers["known"]])
    decoy = genes.isin(planted.decoys)
    rank = score.rank(ascending=False)
    return {
        "AUPRC": float(average_precision_score(driver, score)),
        "AUPRC without evidence": float(average_precision_score(driver[silent], score[silent])),
        "known before decoys": float(
            average_precision_score(known[known | decoy], score[known | decoy])
        ),
        "median rank known": float(rank[known].median()),
        "median rank decoys": float(rank[decoy].median()),
    }


def show(values: pd.DataFrame, options: argparse.Namespace) -> None:
    """Print means with intervals, and the ratios that matter."""
    wide = values.pivot_table(index="seed", columns="ranking", sort=False)
    draws = np.random.default_rng(0).integers(0, len(wide), (BOOTSTRAPS, len(wide)))
    measures = list(dict.fromkeys(wide.columns.get_level_values(0)))
    methods = list(dict.fromkeys(values["ranking"]))
    rows = []
    for method in methods:
        cells = [
            interval(
                wide[measure][method].to_numpy()[draws].mean(axis=1), wide[measure][method].mean()
            )
            for measure in measures
        ]
        rows.append([method, *cells])
    title = (
        f"SIMULATED {options.mechanism} response, {options.evidence} evidence, noise "
        f"{options.noise:g}, {len(wide)} seeds from {options.first_seed}"
    )
    print_table(title, ["ranking", *measures], rows)
    pairs = {"AUPRC": (EVIDENCE_ALONE,), "AUPRC without evidence": AGNOSTIC}
    for measure, peers in pairs.items():
        if not set(peers) <= set(methods):
            continue
        ours = wide[measure][OURS].to_numpy()
        means = wide[measure][list(peers)].mean()
        peer = str(means.idxmax())
        other = wide[measure][peer].to_numpy()
        ratio = ours[draws].mean(axis=1) / other[draws].mean(axis=1)
        print(f"{measure}: {OURS} over {peer}: {interval(ratio, ours.mean() / other.mean())}")


def show_reliability(judgements: pd.DataFrame) -> None:
    """Print the share of drivers among genes of like probability, and the calibration error."""
    place = pd.cut(judgements["probability"], BINS, include_lowest=True)
    binned = judgements.groupby(place, observed=True).agg(
        genes=("driver", "size"), said=("probability", "mean"), found=("driver", "mean")
    )
    rows = [
        [str(where), str(row.genes), float(row.said), float(row.found)]
        for where, row in zip(binned.index, binned.itertuples(), strict=True)
    ]
    print_table("Reliability", ["probability", "genes", "mean", "share of drivers"], rows)
    for name, part in (
        ("all", judgements),
        ("with evidence", judgements[judgements["known"]]),
        ("without evidence", judgements[~judgements["known"]]),
    ):
        likely = part[part["probability"] >= LEAST_PROBABILITY]
        print(
            f"genes {name}: {likely['probability'].sum():.1f} drivers expected and "
            f"{likely['driver'].sum()} found among {len(likely)} of probability "
            f"{LEAST_PROBABILITY} and more; calibration error {calibration_error(likely):.3f} "
            f"(by chance alone {error_by_chance(likely):.3f}), "
            f"over all of them {calibration_error(part):.4f}"
        )


def calibration_error(judgements: pd.DataFrame) -> float:
    """Mean distance, over genes, between the probability said and the share found in its bin."""
    place = pd.cut(judgements["probability"], BINS, include_lowest=True)
    bins = judgements.groupby(place, observed=True)
    off = (bins["probability"].mean() - bins["driver"].mean()).abs()
    return float((off * bins.size()).sum() / max(len(judgements), 1))


def error_by_chance(judgements: pd.DataFrame) -> float:
    """Mean calibration error that as many genes had if every probability were right."""
    rng = np.random.default_rng(0)
    probability = judgements["probability"].to_numpy()
    drawn = [
        calibration_error(judgements.assign(driver=rng.random(len(probability)) < probability))
        for _ in range(RIGHT_DRAWS)
    ]
    return float(np.mean(drawn))


def interval(bootstrapped: np.ndarray, mean: float) -> str:
    low, high = np.quantile(bootstrapped, (0.025, 0.975))
    digits = 1 if mean >= 10 else 3
    return f"{mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"{time.perf_counter() - started:.0f} s")
