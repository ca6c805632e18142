"""What is read of real files, and how fast."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.evidence.screens import (
    FILES,
    FREEMAN,
    METADATA,
    MOUSE,
    NAMED,
    ORCS_FILE,
    PAIR,
    PECH,
    SCORES,
    SHEET,
    ZHUANG,
    Table,
)
from nkpredict.errors import InputError
from nkpredict.evidence import ScreenTable, combine_screens, read_screens


def reading_table(data: Path) -> Table:
    """Read every file; count what is repaired and dropped, or say why it is refused."""
    rows: list[list[Any]] = []
    matrix = [data / FILES[1], data / SCORES]
    jobs: list[tuple[list[Path], dict[str, Any]]] = [
        ([data / FILES[0]], {"metadata": METADATA}),
        ([data / ORCS_FILE], {"metadata": METADATA}),
        (matrix[:1], {"metadata": METADATA}),
        (matrix, {"metadata": METADATA}),
        (matrix[1:], {"metadata": METADATA}),
    ]
    for path in sorted((data / "formats").iterdir()):
        given: dict[str, Any] = {"metadata": MOUSE if "Flute" in path.name else None}
        if path.name.endswith(("count.txt", "count_normalized.txt")):
            given["sample_sheet"] = PAIR
        elif path.name.endswith(("table_sample.txt", "leukemia.new.csv")):
            given["sample_sheet"] = SHEET
        jobs.append(([path], given))
    for paths, given in jobs:
        try:
            records = read_screens(*paths, **given).provenance.files
        except InputError as error:
            reason = str(error).replace(f"{paths[0]} ", "").split(";")[0]
            rows.append([paths[0].name, "refused", "", "", "", f"{reason.rstrip('.')}."])
            continue
        together = " (both in one call)" if len(paths) > 1 else ""
        for record in records:
            rows.append([record.file, record.layout + together, *counted(record.counts)])
    columns = ["file", "read as", "rows read", "rows kept", "repaired", "dropped, and why"]
    return "What is read of real files", columns, rows


def scores_table(data: Path) -> Table:
    """Combine the screens with and without the RRA scores as p-values of the matrix."""
    files = [data / FILES[0], data / FILES[1]]
    rows = []
    for title, paths in (("without scores", files), ("with scores", [*files, data / SCORES])):
        evidence = combine_screens(read_screens(*paths, metadata=METADATA))
        table = evidence.table
        inflation = {
            screen: value
            for experiment in evidence.provenance.screens
            for screen, value in experiment.inflation.items()
        }
        rows.append(
            [
                title,
                *("–" if inflation[name] is None else inflation[name] for name in (PECH, FREEMAN)),
                int((table["evidence"] != 0).sum()),
                int(table["conflict"].sum()),
                *(f"{table.loc[gene, 'evidence']:+.3f}" for gene in NAMED[:6]),
            ]
        )
    columns = ["p of the matrix", "inflation Pech", "inflation Freeman", "genes with evidence"]
    return "RRA scores as p-values", [*columns, "in conflict", *NAMED[:6]], rows


def counts_table(data: Path) -> Table:
    """Check the scores of guide counts: against MAGeCK, and on SIMULATED counts without effects."""
    pooled = [entry | {"screen": "pooled", "cell_line": "two lines"} for entry in SHEET]
    folder = data / "formats"
    ours = read_screens(
        folder / "demo1_rra_from_count_table_sample.txt", sample_sheet=pooled
    ).table.set_index("gene")
    theirs = read_screens(
        folder / "demo1_rra_from_count_table_demo.gene_summary.txt"
    ).table.set_index("gene")
    both = ours.index.intersection(theirs.index)
    pearson = ours.loc[both, "effect"].corr(theirs.loc[both, "effect"])
    signed = [
        np.sign(t.loc[both, "effect"]) * -np.log10(t.loc[both, "p"].clip(lower=1e-7))
        for t in (ours, theirs)
    ]
    rows = [
        [f"MAGeCK's demo, {len(both)} genes: Pearson of log2 FC", f"{pearson:.3f}"],
        [
            "the same: Spearman of signed −log10 p",
            f"{signed[0].corr(signed[1], method='spearman'):.2f}",
        ],
    ]
    for jackpots in (0.0, 0.02):
        p = null_p_values(jackpots)
        shares = ", ".join(f"{(p < limit).mean() / limit:.2f}" for limit in (0.05, 0.01, 0.001))
        rows.append(
            [
                f"SIMULATED null, {jackpots:.0%} jackpot guides: share of p < 0.05, 0.01, 0.001 "
                "over the expected",
                shares,
            ]
        )
    return "Guide counts", ["check", "value"], rows


def null_p_values(jackpots: float, n_genes: int = 18_000, n_guides: int = 4) -> np.ndarray:
    """Score SIMULATED overdispersed counts in which no gene has an effect."""
    rng = np.random.default_rng(0)
    n = n_genes * n_guides
    depth = rng.lognormal(np.log(300), 0.7, n)
    dispersion = 0.3
    counts = {
        sample: rng.poisson(depth * rng.gamma(1 / dispersion, dispersion, n))
        for sample in ("CTRL", "L1")
    }
    lucky = rng.random(n) < jackpots
    counts["L1"][lucky] = counts["L1"][lucky] * rng.choice([0.05, 15.0], lucky.sum())
    genes = np.repeat([f"SIM-GENE{i}" for i in range(n_genes)], n_guides)
    table = pd.DataFrame({"sgRNA": [f"g{i}" for i in range(n)], "Gene": genes, **counts})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "SIMULATED.count.txt"
        table.to_csv(path, sep="\t", index=False)
        return read_screens(path, sample_sheet=PAIR).table["p"].to_numpy()


def counted(counts: Mapping[str, int]) -> list[str]:
    """Rows read and kept, names repaired, and all other counts in words."""
    repairs = ("restored_dates", "updated_names", "repaired_names")
    repaired = [f"{counts[k]} {k.replace('_', ' ')}" for k in repairs if counts.get(k)]
    shown = {"rows_read", "rows_kept", *repairs}
    rest = [f"{n} {k.replace('_', ' ')}" for k, n in counts.items() if n and k not in shown]
    read, kept = (str(counts.get(k, "–")) for k in ("rows_read", "rows_kept"))
    return [read, kept, ", ".join(repaired) or "–", ", ".join(rest) or "–"]


def speed_table(paths: Sequence[Path], nk: ScreenTable) -> Table:
    """Time to read and combine the real files, and ten genome-wide screens in one table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        ten = Path(folder) / "ten_screens.csv"
        one = nk.table[nk.table["screen"].str.startswith(ZHUANG)].drop_duplicates("gene")
        rng = np.random.default_rng(0)
        pd.concat(
            one.assign(screen=f"screen {n}", gene=rng.permutation(one["gene"])) for n in range(10)
        ).to_csv(ten, index=False)
        sets = (("Zhuang and the matrix of ten", paths, METADATA), ("ten genome-wide", [ten], None))
        for name, files, metadata in sets:
            started = time.perf_counter()
            screens = read_screens(*files, metadata=metadata)
            read = time.perf_counter()
            combine_screens(screens)
            done = time.perf_counter()
            rows.append([name, len(screens.table), read - started, done - read, done - started])
    return "Speed", ["screens", "rows", "read s", "combine s", "together s"], rows
