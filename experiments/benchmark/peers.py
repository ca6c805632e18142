"""The models a benchmark compares: scikit-learn regressors, each built anew for a fold.

Whatever a peer learns, scaling and selection included, it learns in ``fit``; see
`nkpredict.evaluate.fit_predict` for what it is given. Peers choose their settings on random inner
folds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from nkpredict.evaluate import OUR_MODEL, generic_learners, naive_baselines
from nkpredict.features import select_genes
from nkpredict.shipped import shipped_path

# Peers whose prediction is the mean of others' predictions, which need not be fitted again.
AVERAGES: dict[str, tuple[str, ...]] = {
    "average of ridge, SVR, LightGBM": ("RidgeCV", "SVR", "LightGBM default"),
}

_INNER_FOLDS = 5
_TUNING_FOLDS = 3
_TUNING_TRIALS = 20
_TUNED_GENES = 500


_PACKAGE = Path(str(files("nkpredict")))
# What predictions depend on: a fit is found again while these files stay as they are.
_COMMON = (Path(__file__), _PACKAGE / "evaluate" / "_baselines.py", _PACKAGE / "evaluate/_fold.py")
_OTHERS = (*_COMMON, _PACKAGE / "features")
_OURS = (*_OTHERS, _PACKAGE / "learn", _PACKAGE / "evidence", shipped_path("reference"))


@dataclass(frozen=True)
class PeerSetting:
    """What a peer is given when it is built.

    Attributes
    ----------
    evidence
        `GeneEvidence` or None.
    random_state
        Seed.
    """

    evidence: Any = None
    random_state: int = 0


@dataclass(frozen=True)
class Peer:
    """How to build a model of the benchmark.

    Attributes
    ----------
    build
        Returns an unfitted estimator.
    uses_evidence
        Whether its predictions depend on the evidence; others are fitted once for all evidence.
    needs_evidence
        Whether it cannot do without.
    has_unit
        Whether it predicts the response itself, and not just an order of samples.
    sources
        Files and folders of the code and tables that its predictions depend on.
    settings
        What else they depend on, such as a budget; plain values.
    """

    build: Callable[[PeerSetting], Any]
    uses_evidence: bool = False
    needs_evidence: bool = False
    has_unit: bool = True
    sources: tuple[Path, ...] = _OTHERS
    settings: Mapping[str, Any] = field(default_factory=dict)


class MostCorrelatedGenes(TransformerMixin, BaseEstimator):
    """Keep the genes most correlated with the response in the training samples.

    Parameters
    ----------
    count
        How many genes to keep.
    """

    def __init__(self, count: int = _TUNED_GENES) -> None:
        self.count = count

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Choose the genes."""
        self.chosen_ = select_genes(np.asarray(X), y, np.zeros(X.shape[1]), self.count)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the chosen columns."""
        return np.asarray(X)[:, self.chosen_]


def per_root_gene(values: np.ndarray) -> np.ndarray:
    """Divide by the root of the number of genes, so that kernel widths do not depend on it."""
    scaled: np.ndarray = values / np.sqrt(values.shape[1])
    return scaled


def _ours(setting: PeerSetting) -> Any:
    from nkpredict.learn import NKSusceptibilityModel

    return NKSusceptibilityModel(evidence=setting.evidence, random_state=setting.random_state)


def _screen_prior(setting: PeerSetting) -> Any:
    from nkpredict.learn import ScreenPrior

    return ScreenPrior(evidence=setting.evidence, random_state=setting.random_state)


def _inner_folds(count: int, setting: PeerSetting) -> Any:
    from sklearn.model_selection import KFold

    return KFold(count, shuffle=True, random_state=setting.random_state)


def _elastic_net(setting: PeerSetting) -> Any:
    """Use all genes: pre-selecting 1,000 lowered the mean Spearman of three drugs by 0.02."""
    from sklearn.linear_model import ElasticNetCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    net = ElasticNetCV(
        l1_ratio=[0.1, 0.5, 0.9],
        alphas=30,
        eps=1e-2,
        cv=_inner_folds(_INNER_FOLDS, setting),
        max_iter=2000,
    )
    return make_pipeline(StandardScaler(), net)


def _svr(setting: PeerSetting) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler
    from sklearn.svm import SVR

    kernel = make_pipeline(StandardScaler(), FunctionTransformer(per_root_gene), SVR())
    return GridSearchCV(
        TransformedTargetRegressor(kernel, transformer=StandardScaler()),
        {"regressor__svr__C": [0.3, 1.0, 3.0, 10.0], "regressor__svr__gamma": [0.1, 0.3, 1.0]},
        scoring="neg_mean_squared_error",
        cv=_inner_folds(_INNER_FOLDS, setting),
    )


def _random_forest(setting: PeerSetting) -> Any:
    """Offer each split the root of the number of genes; a third takes fifteen times as long."""
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(
        n_estimators=500, max_features="sqrt", n_jobs=1, random_state=setting.random_state
    )


def _tuned_boosting(setting: PeerSetting) -> Any:
    """Random search (Bergstra & Bengio, J Mach Learn Res 2012), selection inside inner folds."""
    from lightgbm import LGBMRegressor
    from scipy.stats import loguniform, randint, uniform
    from sklearn.model_selection import RandomizedSearchCV
    from sklearn.pipeline import make_pipeline

    boosting = LGBMRegressor(
        max_bin=31,
        subsample_freq=1,
        n_jobs=1,
        deterministic=True,
        force_col_wise=True,
        verbose=-1,
        random_state=setting.random_state,
    )
    space = {
        "n_estimators": randint(50, 251),
        "learning_rate": loguniform(0.01, 0.2),
        "num_leaves": randint(3, 32),
        "min_child_samples": randint(3, 21),
        "colsample_bytree": loguniform(0.03, 0.5),
        "subsample": uniform(0.5, 0.5),
        "reg_lambda": loguniform(1e-3, 10),
    }
    return RandomizedSearchCV(
        make_pipeline(MostCorrelatedGenes(), boosting),
        {f"lgbmregressor__{name}": values for name, values in space.items()},
        n_iter=_TUNING_TRIALS,
        scoring="neg_mean_squared_error",
        cv=_inner_folds(_TUNING_FOLDS, setting),
        random_state=setting.random_state,
    )


def _ready(name: str) -> Callable[[PeerSetting], Any]:
    """Build a baseline that needs no setting."""
    return lambda setting: (naive_baselines() | generic_learners())[name]


# A further peer is added here: a name and how to build it.
PEERS: dict[str, Peer] = {
    OUR_MODEL: Peer(_ours, uses_evidence=True, sources=_OURS),
    "screen prior": Peer(
        _screen_prior, uses_evidence=True, needs_evidence=True, has_unit=False, sources=_OURS
    ),
    "mean": Peer(_ready("mean")),
    "lineage mean": Peer(_ready("lineage mean")),
    "best single gene": Peer(_ready("best single gene")),
    "RidgeCV": Peer(_ready("RidgeCV")),
    "ElasticNetCV": Peer(_elastic_net),
    "SVR": Peer(_svr),
    "random forest": Peer(_random_forest),
    "LightGBM default": Peer(_ready("LightGBM default")),
    "LightGBM tuned": Peer(_tuned_boosting),
}
