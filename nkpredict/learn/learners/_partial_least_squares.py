"""Partial least squares: a few directions of expression that go with the response."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pandas as pd

from nkpredict.learn.learners._linear import LinearLearner
from nkpredict.types import FloatArray

_FOLDS = 5  # set by hand


class PartialLeastSquares(LinearLearner):
    """Partial least squares regression with components chosen by cross-validation.

    PLS1 (Wold et al., Chemometr Intell Lab Syst 2001, doi
    10.1016/S0169-7439(01)00155-1). It knows no evidence, and is blended only when it is named
    among the learners.

    Parameters
    ----------
    components
        Numbers of components to choose from.
    random_state
        Seed of the folds.

    Attributes
    ----------
    components_ : float
        The number chosen.
    """

    name = "partial_least_squares"
    numbers = (*LinearLearner.numbers, "components_")
    by_default: ClassVar[bool] = False

    def __init__(self, components: Sequence[int] = (1, 2, 3, 5, 8), random_state: int = 0) -> None:
        self.components = components
        self.random_state = random_state

    def diagnostics(self) -> dict[str, float]:
        """Return the number of components."""
        return {"components": self.components_}

    def _fit_rows(
        self, rows: FloatArray, residual: FloatArray, root: FloatArray, genes: pd.Index
    ) -> None:
        from sklearn.model_selection import KFold  # slow to import, and scoring needs none

        most = max(1, min(rows.shape[1], len(rows) * (_FOLDS - 1) // _FOLDS - 1))
        candidates = sorted({min(int(number), most) for number in self.components})
        errors = np.zeros(len(candidates))
        if len(candidates) > 1 and len(rows) >= _FOLDS:
            folds = KFold(_FOLDS, shuffle=True, random_state=self.random_state)
            for train, test in folds.split(rows):
                for place, number in enumerate(candidates):
                    coefficients = _coefficients(rows[train], residual[train], number)
                    errors[place] += ((rows[test] @ coefficients - residual[test]) ** 2).sum()
        number = candidates[int(errors.argmin())]
        self.components_ = float(number)
        self.coef_ = _coefficients(rows, residual, number)


def _coefficients(rows: FloatArray, residual: FloatArray, components: int) -> FloatArray:
    from sklearn.cross_decomposition import PLSRegression

    if not residual.any():
        return np.zeros(rows.shape[1])
    with warnings.catch_warnings():
        # a response that few components explain whole leaves nothing for the others
        warnings.filterwarnings("ignore", "y residual is constant", UserWarning)
        fitted = PLSRegression(components, scale=False).fit(rows, residual)
    return np.asarray(fitted.coef_.ravel())
