"""Inner folds: nothing of a held-out sample enters its fold, and nothing is fitted twice."""

from __future__ import annotations

import numpy as np
import pytest

from nkpredict.errors import InputError
from nkpredict.learn import EvidenceBoosting, EvidenceRidge, NKSusceptibilityModel


def model(**settings) -> NKSusceptibilityModel:
    learners = [EvidenceRidge(), EvidenceBoosting(trees=5, models=1, selected_genes=30)]
    return NKSusceptibilityModel(learners=learners, folds=4, **settings)


def held_out(folds, one: NKSusceptibilityModel) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(one.cross_predict(folds))


def test_every_sample_is_held_out_once(profiles, susceptibility) -> None:
    folds = held_out(model().inner_folds(profiles, susceptibility), model())
    assert len(folds) == 4
    assert sorted(np.concatenate([test for test, _ in folds])) == list(range(60))
    assert all(predicted.shape == (len(test), 2) for test, predicted in folds)


def test_groups_are_held_out_whole(profiles, susceptibility, lineage) -> None:
    folds = held_out(model().inner_folds(profiles, susceptibility, lineage), model())
    assert len(folds) == 3
    assert all(lineage.iloc[test].nunique() == 1 for test, _ in folds)
    within = model(within_groups=True)
    mixed = held_out(within.inner_folds(profiles, susceptibility, lineage), within)
    assert any(lineage.iloc[test].nunique() > 1 for test, _ in mixed)


def test_a_held_out_sample_changes_no_prediction_of_its_companions(
    profiles, susceptibility
) -> None:
    (test, expected), *_ = held_out(model().inner_folds(profiles, susceptibility), model())
    changed, response = profiles.copy(), susceptibility.copy()
    changed.iloc[test[0]] = np.arange(profiles.shape[1])
    (_, predicted), *_ = held_out(model().inner_folds(changed, response), model())
    np.testing.assert_array_equal(predicted[1:], expected[1:])
    assert (predicted[0] != expected[0]).any()


def test_only_what_has_changed_is_fitted_again(profiles, susceptibility, monkeypatch) -> None:
    fitted = []
    for kind in (EvidenceRidge, EvidenceBoosting):
        learn = kind._learn

        def counted(self, *arguments, learn=learn):
            fitted.append(type(self).__name__)
            return learn(self, *arguments)

        monkeypatch.setattr(kind, "_learn", counted)
    inner = model().inner_folds(profiles, susceptibility)
    first = held_out(inner, model())
    assert sorted(set(fitted)) == ["EvidenceBoosting", "EvidenceRidge"]
    assert len(fitted) == 8
    again = held_out(inner, model())
    assert len(fitted) == 8
    other = held_out(inner, model().set_params(boosting__trees=3))
    assert fitted[8:] == ["EvidenceBoosting"] * 4
    for (_, a), (_, b), (_, c) in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a[:, 0], c[:, 0])


def test_the_folds_do_not_change_what_the_model_predicts(profiles, susceptibility) -> None:
    fitted = model().fit(profiles, susceptibility)
    inner = model().inner_folds(profiles, susceptibility)
    blended = np.zeros(60)
    for test, predicted in model().cross_predict(inner):
        blended[test] = predicted @ fitted.weights_
    np.testing.assert_array_equal(blended, fitted.held_out_["predicted"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X.iloc[:19], y.iloc[:19]), "19 samples with a response; expected 20"),
        (lambda X, y: (X, y * 0), "the same for all samples"),
        (lambda X, y: (X.assign(**{X.columns[4]: np.nan}), y), "1 genes have no value"),
    ],
)
def test_samples_that_cannot_be_learned_from_are_refused(
    profiles, susceptibility, change, message
) -> None:
    with pytest.raises(InputError, match=message):
        model().inner_folds(*change(profiles, susceptibility))
    with pytest.raises(InputError, match="no groups were given"):
        model(within_groups=True).inner_folds(profiles, susceptibility)


@pytest.mark.parametrize("learners", [["ridge"], [EvidenceRidge(), EvidenceRidge()], []])
def test_what_is_no_list_of_different_learners_is_refused(
    profiles, susceptibility, learners
) -> None:
    with pytest.raises(InputError, match="each kind once"):
        NKSusceptibilityModel(learners=learners).fit(profiles, susceptibility)
