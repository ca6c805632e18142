"""Measure scoring of SIMULATED cells beside CellTypist and beside scanpy with LightGBM.

All three start from the same file of counts, each in a process of its own, one after the other in
each round; processor time is compared, as clocks tell little on a machine that others use. The
peers are no dependencies: `--peers` names the Python of an environment with celltypist, scanpy and
lightgbm. Their models are trained on some of the cells with made-up labels, since what they say is
not compared here; training is not counted. CellTypist makes cells dense: with 100,000 of them it
was ended for want of memory on a machine of 23 GB, and the script says so and stops.

Example
-------
python -m experiments.cells_peers --cells 20000 --folder /somewhere --peers /env/bin/python
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from experiments.cells import generate, in_process
from experiments.console import print_table

PEERS = ("celltypist", "lightgbm")
_WORKER = Path(__file__).with_name("cells_peers_worker.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, required=True, help="For files that are generated.")
    parser.add_argument("--peers", default=sys.executable, help="Python that has the peers.")
    options = parser.parse_args()
    asked = [options.peers, str(_WORKER)]
    if subprocess.run([*asked, "check"], check=False).returncode:  # noqa: S603
        raise SystemExit(
            f"{options.peers} lacks celltypist, scanpy or lightgbm; install them in an environment "
            "of their own and give its Python as --peers."
        )
    file = generate(options.folder / f"SIM-{options.cells}.h5ad", options.cells)
    models, out = options.folder / "models", options.folder / "out"
    models.mkdir(exist_ok=True)
    ours = str(Path(sys.executable).with_name("nkpredict"))
    commands = {
        "nkpredict": [ours, "score", str(file), "--out", str(out), "--groupby", "none", "--quiet"],
        **{peer: [*asked, peer, str(file), str(models)] for peer in PEERS},
    }
    try:
        subprocess.run([*asked, "train", str(file), str(models)], check=True)  # noqa: S603
        rows = [_round(commands, out) for _ in range(options.rounds)]
    finally:
        file.unlink()
        shutil.rmtree(models)
    table = []
    for name in commands:
        costs = sorted(row[name] for row in rows)
        ratios = sorted(row[name][0] / row["nkpredict"][0] for row in rows)
        middle = len(rows) // 2
        seconds, memory = costs[middle]
        table.append([name, seconds, float(options.cells / seconds), ratios[middle], memory])
    columns = ["", "CPU s", "cells a CPU second", "ratio of CPU (paired)", "peak memory GB"]
    print_table(f"{options.cells:,} SIMULATED cells, medians of rounds", columns, table)


def _round(commands: dict[str, list[str]], out: Path) -> dict[str, tuple[float, float]]:
    """Return processor seconds and peak memory of each."""
    costs = {}
    for name, command in commands.items():
        try:
            _, seconds, memory = in_process(command, dict(os.environ))
        except RuntimeError as error:
            raise SystemExit(
                f"{name} did not finish, for want of memory perhaps: {error}"
            ) from error
        costs[name] = seconds, memory
        print(name, f"{seconds:.1f} CPU s, {memory:.2f} GB", file=sys.stderr)
        shutil.rmtree(out, ignore_errors=True)
    return costs


if __name__ == "__main__":
    main()
