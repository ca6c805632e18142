"""A model taken apart and put together again, and parts that do not fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nkpredict import NKSusceptibilityModel
from nkpredict.errors import BundleError
from nkpredict.learn import EvidenceBoosting, EvidenceRidge, PartialLeastSquares
from nkpredict.registry._state import files_of, model_from, state_from, state_of

LEARNERS = [
    EvidenceRidge(),
    EvidenceBoosting(trees=5, models=2, selected_genes=30),
    PartialLeastSquares(),
]


@pytest.fixture(scope="module")
def state(trained_on):
    profiles, response = trained_on
    return state_of(NKSusceptibilityModel(learners=LEARNERS).fit(profiles, response))


@pytest.fixture(scope="module")
def trained_on(genes):
    import pandas as pd

    rng = np.random.default_rng(0)
    profiles = pd.DataFrame(rng.normal(5, 1, (40, 60)), columns=genes[:60])
    return profiles, profiles.iloc[:, 0] + profiles.iloc[:, 1] + rng.normal(0, 0.2, 40)


@pytest.mark.slow
def test_files_bring_the_same_model_back(state, trained_on) -> None:
    profiles, response = trained_on
    model = NKSusceptibilityModel(learners=LEARNERS).fit(profiles, response)
    files = files_of(state)
    assert files == files_of(state_of(model))
    back = model_from(state_from(files, len(state.trees)))
    assert list(back.core_.learners) == ["ridge", "boosting", "partial_least_squares"]
    np.testing.assert_array_equal(back.predict(profiles), model.predict(profiles))
    np.testing.assert_array_equal(
        back.substituted(profiles, back.range_[0]), model.substituted(profiles, model.range_[0])
    )
    assert files_of(state_of(back)) == files
    assert back.get_params(deep=False).keys() == model.get_params(deep=False).keys()


def without(state, name):
    return replace(state, arrays={k: v for k, v in state.arrays.items() if k != name})


def with_array(state, name, values):
    return replace(state, arrays={**state.arrays, name: values})


def with_learner(state, place, **changed):
    learners = [dict(learner) for learner in state.settings["learners"]]
    learners[place] |= changed
    return replace(state, settings={**state.settings, "learners": learners})


@pytest.mark.parametrize(
    "damage",
    [
        lambda s: without(s, "ridge.coef_"),
        lambda s: without(s, "harmoniser.mean"),
        lambda s: with_array(s, "ridge.coef_", np.zeros(59)),
        lambda s: with_array(s, "harmoniser.scale", np.zeros(61)),
        lambda s: with_array(s, "boosting.selected_", np.array([60])),
        lambda s: with_array(s, "boosting.mean_", np.zeros(3)),
        lambda s: with_learner(s, 0, name="forest"),
        lambda s: with_learner(s, 0, numbers={}),
        lambda s: with_learner(s, 0, parameters={"strength": 1}),
        lambda s: replace(s, settings={**s.settings, "model": "Oracle"}),
        lambda s: replace(s, settings={k: v for k, v in s.settings.items() if k != "genes"}),
    ],
)
def test_parts_that_do_not_fit_are_refused(state, damage) -> None:
    with pytest.raises(BundleError, match="do not fit together"):
        model_from(damage(state))
