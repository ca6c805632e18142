from __future__ import annotations

import numpy as np
import pytest

from nkpredict.learn import EvidenceBoosting
from nkpredict.learn.learners._trees import read_trees


def test_changes_are_those_of_predicting_again(profiles, susceptibility) -> None:
    fitted = EvidenceBoosting(trees=20).fit(profiles, susceptibility)
    level = profiles.to_numpy().max(axis=0)
    change = fitted.substituted(profiles, level)
    before = fitted.predict(profiles)
    assert (change != 0).any(axis=0).sum() > 20
    for column, gene in enumerate(profiles):
        moved = profiles.assign(**{gene: level[column]})
        np.testing.assert_allclose(
            change[:, column], fitted.predict(moved) - before, rtol=0, atol=1e-12
        )


def test_a_column_without_a_level_stays(profiles, susceptibility) -> None:
    fitted = EvidenceBoosting(trees=10).fit(profiles, susceptibility)
    level = profiles.to_numpy().max(axis=0)
    some = np.where(np.arange(len(level)) % 2, level, np.nan)
    change = fitted.substituted(profiles, some)
    assert (change[:, ::2] == 0).all()
    np.testing.assert_array_equal(change[:, 1::2], fitted.substituted(profiles, level)[:, 1::2])


def test_categories_are_refused(profiles, susceptibility) -> None:
    fitted = EvidenceBoosting(trees=2, models=1).fit(profiles, susceptibility)
    text = fitted.boosters_[0].model_to_string()
    assert len(list(read_trees(text))) == 2
    with pytest.raises(ValueError, match="categories"):
        list(read_trees(text.replace("decision_type=2", "decision_type=1")))
