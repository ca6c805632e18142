"""Loader module through which MLflow serves a bundle; nothing is unpickled."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nkpredict.registry._bundle import Bundle, load_bundle


class ServedModel:
    """What ``mlflow.pyfunc.load_model`` returns inside.

    Parameters
    ----------
    bundle
        Model to serve.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.Series:
        """Predict susceptibility for samples × genes (columns = approved symbols)."""
        predicted = self.bundle.model.predict(model_input)
        return pd.Series(predicted, index=model_input.index, name="susceptibility")


def _load_pyfunc(path: str) -> ServedModel:
    return ServedModel(load_bundle(path))
