"""The models a benchmark compares: scikit-learn regressors, each built anew for a fold.

Whatever a peer learns, scaling and selection included, it learns in ``fit``; see
`nkpredict.evaluate.fit_predict` for what it is given. A peer is given what the model is given: it
takes part on the response as it is and on normal scores, and chooses its settings on inner folds
that hold out lineages where lineages are held out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin, clone
from sklearn.model_selection._search import BaseSearchCV

from experiments.benchmark.searched import (
    METHODS,
    EvidenceWeightedRidge,
    InnerFolds,
    SearchedPeer,
)
from nkpredict.evaluate import OUR_MODEL, generic_learners, naive_baselines
from nkpredict.features import select_genes
from nkpredict.learn import normal_scores
from nkpredict.shipped import shipped_path

NORMAL_SCORES = ", normal scores"
"""Ending of the name of a peer that learns normal scores of the response."""
EVIDENCE_WEIGHTED = "evidence-weighted ridge"
"""The peer that knows the evidence as the model does, in the plainest way; on normal scores."""

# Peers whose prediction is the mean of others' predictions, which need not be fitted again.
AVERAGES: dict[str, tuple[str, ...]] = {
    "average of ridge, PLS, SVR, normal scores": tuple(
        f"{name}{NORMAL_SCORES}" for name in ("ridge", "PLS", "SVR")
    ),
}

_TUNING_FOLDS = 3
_TUNING_TRIALS = 20
_TUNED_GENES = 500


_PACKAGE = Path(str(files("nkpredict")))
# What predictions depend on: a fit is found again while these files stay as they are.
_COMMON = (Path(__file__), _PACKAGE / "evaluate" / "_baselines.py", _PACKAGE / "evaluate/_fold.py")
_OTHERS = (*_COMMON, _PACKAGE / "features")
_SEARCHED = (Path(__file__).with_name("searched.py"), _PACKAGE / "learn" / "_blend.py")
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


class GivenLikeOurs(RegressorMixin, BaseEstimator):
    """A regressor that is given what the model is given.

    Parameters
    ----------
    regressor
        Unfitted; a search of scikit-learn is given the groups.
    scores
        Whether normal scores of the response are learned.
    """

    def __init__(self, regressor: Any, scores: bool = False) -> None:
        self.regressor = regressor
        self.scores = scores

    def fit(self, X: pd.DataFrame, y: np.ndarray, groups: Any = None) -> Self:
        """Fit the regressor."""
        given = {"groups": groups} if isinstance(self.regressor, BaseSearchCV) else {}
        target = normal_scores(np.asarray(y, dtype=np.float64)) if self.scores else y
        self.fitted_ = clone(self.regressor).fit(np.asarray(X), target, **given)
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Predict one number a sample."""
        return np.asarray(self.fitted_.predict(np.asarray(X)))


def _ours(setting: PeerSetting) -> Any:
    from nkpredict.learn import NKSusceptibilityModel

    return NKSusceptibilityModel(evidence=setting.evidence, random_state=setting.random_state)


def _screen_prior(setting: PeerSetting) -> Any:
    from nkpredict.learn import ScreenPrior

    return ScreenPrior(evidence=setting.evidence, random_state=setting.random_state)


def _evidence_weighted(setting: PeerSetting) -> Any:
    return EvidenceWeightedRidge(setting.evidence, True, setting.random_state)


def _searched(method: str, scores: bool) -> Callable[[PeerSetting], Any]:
    return lambda setting: SearchedPeer(method, scores, setting.random_state)


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
        cv=InnerFolds(_TUNING_FOLDS, setting.random_state),
        random_state=setting.random_state,
    )


def _ready(name: str) -> Callable[[PeerSetting], Any]:
    """Build a baseline that needs no setting."""
    return lambda setting: (naive_baselines() | generic_learners())[name]


def _catboost(setting: PeerSetting) -> Any:
    """CatBoost (Prokhorenkova et al., NeurIPS 2018) on genes chosen in the fold; an own install."""
    from catboost import CatBoostRegressor
    from sklearn.pipeline import make_pipeline

    boosting = CatBoostRegressor(
        iterations=200,
        depth=4,
        learning_rate=0.05,
        border_count=32,
        rsm=0.2,
        thread_count=1,
        allow_writing_files=False,
        verbose=False,
        random_seed=setting.random_state,
    )
    return make_pipeline(MostCorrelatedGenes(), boosting)


def _twice(name: str, build: Callable[[PeerSetting], Any]) -> dict[str, Peer]:
    """Let a regressor take part on the response as it is and on normal scores."""

    def on(scores: bool) -> Callable[[PeerSetting], Any]:
        return lambda setting: GivenLikeOurs(build(setting), scores)

    sources = (*_OTHERS, *_SEARCHED)
    return {
        name: Peer(on(False), sources=sources),
        f"{name}{NORMAL_SCORES}": Peer(on(True), sources=sources),
    }


# A further peer is added here: a name and how to build it.
PEERS: dict[str, Peer] = {
    OUR_MODEL: Peer(_ours, uses_evidence=True, sources=_OURS),
    "screen prior": Peer(
        _screen_prior, uses_evidence=True, needs_evidence=True, has_unit=False, sources=_OURS
    ),
    EVIDENCE_WEIGHTED: Peer(
        _evidence_weighted,
        uses_evidence=True,
        needs_evidence=True,
        sources=(*_OTHERS, *_SEARCHED, _PACKAGE / "evidence"),
    ),
    "mean": Peer(_ready("mean")),
    "lineage mean": Peer(_ready("lineage mean")),
    "best single gene": Peer(_ready("best single gene")),
    **{
        f"{method}{ending}": Peer(_searched(method, bool(ending)), sources=(*_OTHERS, *_SEARCHED))
        for method in METHODS
        for ending in ("", NORMAL_SCORES)
    },
    **_twice("RidgeCV", _ready("RidgeCV")),
    **_twice("random forest", _random_forest),
    **_twice("LightGBM default", _ready("LightGBM default")),
    **_twice("LightGBM tuned", _tuned_boosting),
    **(_twice("CatBoost", _catboost) if find_spec("catboost") else {}),
}

FAIR_PEERS = tuple(
    name
    for name in PEERS
    if name.removesuffix(NORMAL_SCORES)
    not in (OUR_MODEL, "screen prior", EVIDENCE_WEIGHTED, *naive_baselines())
)
"""The peers that are given what the model is given but for evidence, which none of them reads; the
best of them is what it must beat."""
