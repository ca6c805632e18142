"""Loader module through which MLflow serves a bundle; nothing is unpickled."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nkpredict.io import ReadingOptions, facts_of, read_profiles
from nkpredict.learn import require_readable
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
        """Predict susceptibility for profiles, read and checked as `nkpredict.score` does.

        Parameters
        ----------
        model_input
            Samples × genes, or turned; symbols or Ensembl ids.
        params
            Not used.

        Returns
        -------
        pandas.Series
            One number a sample.

        Raises
        ------
        InputError
            When the profiles cannot be read or hold too little of the model.
        """
        model = self.bundle.model
        profiles = read_profiles(
            model_input, ReadingOptions(known=frozenset(map(str, model.feature_names_in_)))
        )
        prepared = model.prepare(profiles)
        require_readable(model, prepared, facts_of(profiles).expression)
        predicted = model.predict(prepared)
        return pd.Series(predicted, index=profiles.obs_names, name="susceptibility")


def _load_pyfunc(path: str) -> ServedModel:
    return ServedModel(load_bundle(path))
