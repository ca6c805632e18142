"""Train an AutoML framework and predict, in an environment of its own.

The frameworks pin versions that differ from those of the product, so this script knows nothing of
it: arrays come in and go out as ``.npz``.

Example
-------
python automl_worker.py --versions
python automl_worker.py --framework FLAML --seconds 30 --input fold.npz --output predicted.npz
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = {"FLAML": "flaml", "AutoGluon": "autogluon.tabular"}
# Short budgets are lost on preparing thousands of columns; the choice looks at no response.
GENES = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--versions", action="store_true", help="print what is installed as JSON")
    parser.add_argument("--framework", choices=sorted(PACKAGES))
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--input", type=Path, help="train, target and test")
    parser.add_argument("--output", type=Path, help="gets predicted")
    options = parser.parse_args()
    if options.versions:
        print(json.dumps(installed()))
        return
    import numpy as np

    with np.load(options.input, allow_pickle=False) as arrays:
        train, target, test = arrays["train"], arrays["target"], arrays["test"]
    genes = np.sort(np.argsort(-train.var(axis=0), kind="stable")[:GENES])
    run = {"FLAML": flaml, "AutoGluon": autogluon}[options.framework]
    predicted = run(train[:, genes], target, test[:, genes], options.seconds, options.seed)
    np.savez(options.output, predicted=np.asarray(predicted, dtype=np.float64))


def installed() -> dict[str, str]:
    found = {}
    for framework, package in PACKAGES.items():
        try:
            found[framework] = version(package)
        except PackageNotFoundError:
            continue
    return found


def flaml(train, target, test, seconds, seed):
    from flaml import AutoML

    search = AutoML()
    search.fit(
        X_train=train,
        y_train=target,
        task="regression",
        metric="mse",
        time_budget=seconds,
        eval_method="cv",
        n_splits=5,
        estimator_list=["lgbm", "xgboost", "rf", "extra_tree", "kneighbor"],
        n_jobs=1,
        seed=seed,
        verbose=0,
    )
    return search.predict(test)


def autogluon(train, target, test, seconds, seed):
    import pandas as pd
    from autogluon.features.generators import IdentityFeatureGenerator
    from autogluon.tabular import TabularPredictor

    names = [f"gene{number}" for number in range(train.shape[1])]
    table = pd.DataFrame(train, columns=names).assign(response=target)
    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor(
            "response",
            problem_type="regression",
            eval_metric="root_mean_squared_error",
            path=os.path.join(folder, "models"),
            verbosity=0,
        ).fit(
            table,
            time_limit=seconds,
            num_cpus=1,
            num_gpus=0,
            # the default one searches thousands of numeric columns for dates and text
            feature_generator=IdentityFeatureGenerator(),
        )
        return predictor.predict(pd.DataFrame(test, columns=names)).to_numpy()


if __name__ == "__main__":
    main()
