"""Train a model from a YAML configuration.

Example
-------
export NKPREDICT_DATA=../my-data
python -m experiments.train --config experiments/configs/gdsc-venetoclax.yaml
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from experiments.console import print_table, progress_bars
from nkpredict.errors import NKPredictError
from nkpredict.training import read_config, train


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--resume", action="store_true", help="go on with a stopped run")
    parser.add_argument("--registry", help="folder or MLflow URI in place of the configured one")
    parser.add_argument("--run-folder", type=Path, help="in place of the configured one")
    options = parser.parse_args()
    try:
        config = read_config(options.config)
        if options.registry is not None:
            config = replace(config, registry=options.registry)
        if options.run_folder is not None:
            config = replace(config, run_folder=options.run_folder)
        with progress_bars() as progress:
            run = train(
                config,
                resume=options.resume,
                progress=progress,
                found=lambda sentences: print(*sentences, sep="\n"),
            )
    except NKPredictError as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    table = run.cross_validation.table()
    mark = " (SIMULATED data)" if run.bundle.simulated else ""
    rows = [[name, *map(float, values)] for name, *values in table.itertuples()]
    print_table(f"Spearman on unseen samples{mark}", ["model", *table.columns], rows)
    print(f"Registered {run.registered}; results in {run.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
