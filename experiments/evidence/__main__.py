"""Measure the evidence on real files: what is read of them, and ways to combine screens.

Reads the real screens of Zhuang 2019, Pech 2019 and Freeman 2019 and genuine output of MAGeCK,
prints the tables and writes them as Markdown.

Example
-------
python -m experiments.evidence --data ../my-data
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from experiments.console import print_table
from experiments.evidence.figure_four import figure_four_table
from experiments.evidence.files import counts_table, reading_table, scores_table, speed_table
from experiments.evidence.methods import (
    choice_table,
    fitness_table,
    held_out_table,
    named_table,
    simulated_table,
)
from experiments.evidence.screens import FILES, METADATA, ORCS_FILE, Table, without
from nkpredict.evidence import DEFAULT_METHOD, read_screens
from nkpredict.io import file_sha256, write_text

PAGE = Path(__file__).with_name("page.md")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds screens/")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/evidence.md"))
    parser.add_argument("--seeds", type=int, default=5, help="simulated studies")
    parser.add_argument("--bootstrap", type=int, default=200)
    options = parser.parse_args()

    paths = [options.data / name for name in FILES]
    every = read_screens(*paths, metadata=METADATA)
    nk = without(every, every.screens.index[every.screens["effector"] == "T cell"])
    real, real_auprc = held_out_table(nk, every, options.bootstrap)
    simulated, simulated_means = simulated_table(options.seeds)
    tables = [
        reading_table(options.data),
        scores_table(options.data),
        counts_table(options.data),
        choice_table(real_auprc, simulated_means),
        real,
        simulated,
        fitness_table(nk),
        named_table(nk),
        figure_four_table(options.data, options.bootstrap),
        speed_table(paths, nk),
    ]
    for title, columns, rows in tables:
        print_table(title, columns, rows)
    write_text(
        options.out,
        document(tables, [*paths, options.data / ORCS_FILE], options.seeds, options.bootstrap),
    )


def document(tables: Sequence[Table], paths: Sequence[Path], seeds: int, repeats: int) -> str:
    files = "\n".join(f"- `{p.name}`, SHA-256 `{file_sha256(p)[:16]}…`" for p in paths)
    shown = "\n\n".join(markdown(table) for table in tables)
    return PAGE.read_text(encoding="utf-8").format(
        default=DEFAULT_METHOD,
        files=files,
        machine=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        seeds=seeds,
        repeats=repeats,
        tables=shown,
    )


def markdown(table: Table) -> str:
    title, columns, rows = table
    cells = [[f"{v:.2f}" if isinstance(v, float) else str(v) for v in row] for row in rows]
    lines = [columns, ["---"] * len(columns), *cells]
    return f"### {title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
