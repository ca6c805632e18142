"""Ways to combine screens, compared on real screens and on simulated ones."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.evidence.screens import NAMED, PECH, ZHUANG, Table, without
from nkpredict import simulate_study
from nkpredict.evidence import (
    AS_SHIPPED,
    CORE_ESSENTIAL,
    DEFAULT_METHOD,
    METHODS,
    ScreenTable,
    combine_matrix,
    combine_screens,
    compare_methods,
    describe_gene,
    judge,
    mean_auprc,
    read_screens,
    standardise_screens,
)

TOP = 100


def choice_table(real_auprc: pd.Series, simulated: pd.DataFrame) -> Table:
    """Rank the methods on the three questions that decide."""
    values = pd.DataFrame(
        {
            "real held out": real_auprc,
            "SIMULATED held out": simulated["held out AUPRC"],
            "SIMULATED truth": simulated["truth AUPRC"],
        }
    ).reindex(list(METHODS))
    ranks = values.rank(ascending=False).mean(axis=1)
    rows = [
        [m, *(f"{v:.4f}" for v in values.loc[m]), f"{ranks[m]:.2f}"]
        for m in ranks.sort_values().index
    ]
    return "Mean AUPRC, and mean rank of the methods", ["method", *values, "mean rank"], rows


def held_out_table(nk: ScreenTable, every: ScreenTable, repeats: int) -> tuple[Table, pd.Series]:
    """Predict the hits of each real NK screen from the other two."""
    wider = standardise_screens(every)

    def with_t_cells(held_out: str, genes: pd.Index) -> dict[str, np.ndarray]:
        others = wider.z.columns != held_out
        z = wider.z.reindex(genes).to_numpy()[:, others]
        return {
            "with T-cell screens": combine_matrix(z, wider.weights[others], DEFAULT_METHOD).score
        }

    compared = compare_methods(nk, bootstrap=repeats, further=with_t_cells)
    rows = [
        [
            row["held_out"],
            f"{row['hits']} ({row['n_hits']})",
            row["method"],
            f"{row['auroc']:.2f} ({row['auroc_low']:.2f} to {row['auroc_high']:.2f})",
            f"{row['auprc']:.4f} ({row['auprc_low']:.4f} to {row['auprc_high']:.4f})",
            f"{row['by_chance']:.4f}",
            f"{row['same_sign']:.2f}",
        ]
        for row in compared.to_dict("records")
    ]
    columns = ["held out", "hits (n)", "method", "AUROC", "AUPRC", "by chance", "same sign"]
    return ("Real screens, each held out in turn", columns, rows), mean_auprc(compared)


def simulated_table(n_seeds: int) -> tuple[Table, pd.DataFrame]:
    """Hold out each of twelve SIMULATED screens; compare all of them with the planted truth."""
    kinds = ("auroc", "auprc", "same_sign")
    results = []
    for seed in range(n_seeds):
        with tempfile.TemporaryDirectory() as folder:
            study = simulate_study(Path(folder) / "study", random_state=seed, n_patients=1)
            screens = read_screens(study.screens)
            effects = pd.read_json(study.truth, typ="series")["drivers"]
        standardised = standardise_screens(screens)
        z, weights, genes = standardised.z.to_numpy(), standardised.weights, standardised.z.index
        known = {gene: row["effect"] for gene, row in effects.items() if row["known"]}
        truth = pd.Series(known).reindex(genes).fillna(0.0).to_numpy()
        shipped = combine_screens(screens).table["score"].to_numpy()
        compared = compare_methods(screens, bootstrap=0)
        by_p = compared[compared["hits"].str.startswith("p <")]
        held_out = by_p.groupby("method")[list(kinds)].mean()
        for method in (*METHODS, AS_SHIPPED):
            score = shipped if method == AS_SHIPPED else combine_matrix(z, weights, method).score
            judged = judge(score, truth, truth != 0)
            results.append([method, *(judged[k] for k in kinds), *held_out.loc[method]])
    frame = pd.DataFrame(results).groupby(0, sort=False)
    mean, low, high = frame.mean(), frame.min(), frame.max()
    rows = [
        [method]
        + [
            f"{mean.loc[method, c]:.3f} ({low.loc[method, c]:.2f} to {high.loc[method, c]:.2f})"
            for c in mean.columns
        ]
        for method in mean.index
    ]
    named = ("AUROC", "AUPRC", "same sign")
    columns = ["method", *(f"truth {k}" for k in named), *(f"held out {k}" for k in named)]
    table = ("SIMULATED studies: mean over seeds (least to largest)", columns, rows)
    return table, mean.set_axis(columns[1:], axis=1)


def fitness_table(nk: ScreenTable) -> Table:
    """Essential genes among the first protecting ones, before and after the correction."""
    name = PECH.removesuffix("_r1")
    raw = standardise_screens(nk, correct_fitness=False).z[name].dropna()
    family = raw.index[[CORE_ESSENTIAL.match(gene) is not None for gene in raw.index]]
    depleted = set(raw.index[raw < raw[family].median()])
    rows = []
    for method in METHODS:
        for corrected in (False, True):
            table = combine_screens(nk, method, correct_fitness=corrected).table
            score = table["score"]
            first = set(score.nsmallest(TOP).index)
            ranks = score.rank(method="min")
            rows.append(
                [
                    method,
                    "after" if corrected else "before",
                    len(first & depleted),
                    len(first & set(family)),
                    *(int(ranks[gene]) for gene in ("RTCB", "RBBP4", "POLR2B")),
                ]
            )
    columns = ["method", "correction", "Pech depleted", "families", "RTCB", "RBBP4", "POLR2B"]
    return f"Fitness: genes among the first {TOP} protecting, and ranks", columns, rows


def named_table(nk: ScreenTable) -> Table:
    """Genes that published work makes expect, as they come out."""
    zhuang = without(nk, [s for s in nk.screens.index if not str(s).startswith(ZHUANG)])
    rows = []
    for gene in NAMED:
        alone, together = describe_gene(gene, zhuang), describe_gene(gene, nk)
        by_screen = {row["screen"]: row for row in together.screens}
        row: list[Any] = [gene]
        for replicate in ("Rep1", "Rep2"):
            measured = by_screen[f"{ZHUANG}_{replicate}"]
            row.append(f"{measured['effect']:+.2f} ({measured['p']:.1e})")
        for described in (alone, together):
            evidence = described.combined
            row += [
                f"{evidence['side']}, {evidence['rank']}",
                f"{evidence['score']:.1f}",
                f"{evidence['evidence']:+.3f}",
            ]
        z = {entry["name"]: entry["z"] for entry in together.experiments}
        pech = PECH.removesuffix("_r1")
        row.append(
            f"{by_screen[PECH]['effect']:+.2f} ({z[pech]:+.1f})" if PECH in by_screen else "–"
        )
        rows.append([*row, "yes" if together.combined["conflict"] else "no"])
    columns = ["gene", "Zhuang 1: beta (p)", "Zhuang 2: beta (p)"]
    for which in ("Zhuang", "three screens"):
        columns += [f"{which}: side, rank", f"{which}: z", f"{which}: evidence"]
    return "Named genes", [*columns, "NK-92: log2 FC (z)", "conflict"], rows
