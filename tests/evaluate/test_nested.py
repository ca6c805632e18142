from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict import NKSusceptibilityModel, nested_cross_validate
from nkpredict.errors import InputError
from nkpredict.evaluate import Tuning, make_folds, spearman, tune
from nkpredict.evaluate._metrics import spearman_within
from nkpredict.learn import EvidenceBoosting, EvidenceRidge

SPACE = {
    "boosting__selected_genes": {"type": "int", "low": 10, "high": 80, "log": True},
    "boosting__learning_rate": {"type": "float", "low": 0.02, "high": 0.2},
}


@pytest.fixture
def model() -> NKSusceptibilityModel:
    return NKSusceptibilityModel(
        learners=[EvidenceRidge(), EvidenceBoosting(trees=20, selected_genes=40, models=1)]
    )


def skill(result, model: str = "nkpredict", split: str = "random") -> float:
    return float(result.table().loc[model, split])


@pytest.mark.slow
def test_a_signal_is_found_and_shown_beside_naive_baselines(
    model, profiles, susceptibility, lineage
) -> None:
    result = nested_cross_validate(model, profiles, susceptibility, lineage, peers=True)
    table = result.table()
    assert list(table.columns[[0, 2]]) == ["random", "lineage-held-out"]
    assert list(table.index) == [
        "nkpredict",
        "mean",
        "lineage mean",
        "best single gene",
        "RidgeCV",
        "LightGBM default",
    ]
    assert skill(result) > max(skill(result, "mean"), skill(result, "best single gene"), 0.3)
    ours = result.predictions.query("model == 'nkpredict' and split == 'random'")
    assert sorted(ours["sample"]) == sorted(profiles.index)
    assert 0.75 <= result.interval_coverage()["random"] <= 1
    assert "lineage-held-out" in repr(result)


@pytest.mark.slow
def test_a_shuffled_response_gives_no_skill(model, profiles, lineage) -> None:
    rng = np.random.default_rng(2)
    skills = [
        skill(nested_cross_validate(model, profiles, rng.normal(size=60), splits=["random"]))
        for _ in range(4)
    ]
    assert np.mean(skills) < 0.15


@pytest.mark.slow
def test_a_copy_of_the_response_of_test_samples_cannot_help(model, profiles) -> None:
    """A gene that holds the response in the test samples of each fold and noise elsewhere."""
    rng = np.random.default_rng(3)
    response = rng.normal(size=60)
    skills = []
    for number, fold in enumerate(make_folds("random", 60, None)):
        leaking = profiles.copy()
        leaking.iloc[:, 10] = rng.normal(size=60)
        leaking.iloc[fold.test, 10] = response[fold.test]
        leaked = nested_cross_validate(model, leaking, response, splits=["random"]).predictions
        fold_only = leaked[(leaked["model"] == "nkpredict") & (leaked["fold"] == number)]
        skills.append(spearman(fold_only["predicted"].to_numpy(), fold_only["observed"].to_numpy()))
    assert np.mean(skills) < 0.3


@pytest.mark.slow
def test_predictions_of_a_fold_do_not_see_its_responses(model, profiles, susceptibility) -> None:
    """Changing the responses of the test samples leaves their predictions as they are."""
    fold = next(iter(make_folds("random", 60, None)))
    changed = susceptibility.copy()
    changed.iloc[fold.test] = changed.iloc[fold.test].to_numpy()[::-1] * 3 + 1
    arguments = {"splits": ["random"], "peers": True, "tuning": Tuning(SPACE, 2)}
    one = nested_cross_validate(model, profiles, susceptibility, **arguments).predictions
    two = nested_cross_validate(model, profiles, changed, **arguments).predictions
    first, second = (table.loc[table["fold"] == 0, "predicted"] for table in (one, two))
    np.testing.assert_array_equal(first, second)


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_processes(
    model, profiles, susceptibility, lineage
) -> None:
    one = nested_cross_validate(model, profiles, susceptibility, lineage, n_jobs=1)
    two = nested_cross_validate(model, profiles, susceptibility, lineage, n_jobs=2)
    pd.testing.assert_frame_equal(one.predictions, two.predictions, check_exact=True)


def test_a_held_out_lineage_has_no_lineage_mean(model, profiles, susceptibility, lineage) -> None:
    result = nested_cross_validate(
        model, profiles, susceptibility, lineage, splits=["lineage-held-out"]
    )
    wide = result.predictions.pivot_table(index="sample", columns="model", values="predicted")
    np.testing.assert_allclose(wide["lineage mean"], wide["mean"])


def test_a_lineage_too_large_to_hold_out_is_told(model, profiles, susceptibility) -> None:
    lineage = np.repeat(["AML", "BCL", "MM"], [45, 8, 7])
    result = nested_cross_validate(
        model, profiles, susceptibility, lineage, splits=["lineage-held-out"]
    )
    assert result.notes == (
        "AML (45 samples) could not be held out: only 15 samples would be left to learn from.",
    )
    assert set(result.predictions["lineage"]) == {"BCL", "MM"}


def test_too_few_samples_are_told(model, profiles, susceptibility) -> None:
    with pytest.raises(InputError, match=r"Found 22 samples .* expected 25 at least"):
        nested_cross_validate(model, profiles.iloc[:22], susceptibility.iloc[:22])


@pytest.mark.slow
def test_tuning_goes_on_where_it_stopped(model, profiles, susceptibility, tmp_path) -> None:
    whole = tune(model, profiles, susceptibility, space=SPACE, trials=5)
    journal = tmp_path / "a" / "tuning.journal"
    tune(model, profiles, susceptibility, space=SPACE, trials=2, journal=journal)
    resumed = tune(model, profiles, susceptibility, space=SPACE, trials=5, journal=journal)
    assert resumed.settings == whole.settings
    assert resumed.trials == whole.trials == 5
    again = tune(model, profiles, susceptibility, space=SPACE, trials=5, journal=journal)
    assert again.trials == 5


def test_trials_without_settings_to_tune_are_refused(model, profiles, susceptibility) -> None:
    with pytest.raises(InputError, match="5 trials and no settings to tune"):
        tune(model, profiles, susceptibility, space={}, trials=5)


def test_tuning_names_settings_the_model_does_not_have(model, profiles, susceptibility) -> None:
    space = {"boosting__depth": {"type": "int", "low": 1, "high": 3}}
    with pytest.raises(InputError, match="boosting__depth, which the model does not have"):
        tune(model, profiles, susceptibility, space=space, trials=1)


def test_skill_of_constant_predictions_is_zero() -> None:
    assert spearman(np.ones(9), np.arange(9.0)) == 0
    labels = np.repeat(["a", "b"], [6, 3])
    within = spearman_within(np.r_[np.arange(6.0), 0, 0, 9], np.arange(9.0), labels)
    assert within == pytest.approx(1)
    assert np.isnan(spearman_within(np.ones(3), np.ones(3), np.array(["a", "b", "c"])))


@pytest.mark.slow
def test_a_model_within_groups_is_tuned_and_evaluated_with_their_offsets(profiles) -> None:
    """Lineages differ by far more than their samples, and no gene tells the lineage."""
    rng = np.random.default_rng(5)
    lineage = np.tile(["AML", "B-ALL", "T-ALL"], 20)
    between = pd.Series({"AML": 0.0, "B-ALL": 5.0, "T-ALL": -5.0})[lineage].to_numpy()
    response = between + profiles.iloc[:, 0].to_numpy() + 0.3 * rng.normal(size=60)
    model = NKSusceptibilityModel(
        learners=[EvidenceRidge(), EvidenceBoosting(trees=20, selected_genes=40, models=1)],
        within_groups=True,
    )
    result = nested_cross_validate(
        model, profiles, response, lineage, splits=["random"], tuning=Tuning(SPACE, 2)
    )
    assert skill(result) > 0.85
    ours = result.predictions.query("model == 'nkpredict'")
    assert (
        spearman_within(
            ours["predicted"].to_numpy(), ours["observed"].to_numpy(), ours["lineage"].to_numpy()
        )
        > 0.4
    )
    within = tune(model, profiles, response, lineage, space=SPACE, trials=2)
    without = tune(model.set_params(within_groups=False), profiles, response, space=SPACE, trials=2)
    assert within.error < 0.1 * without.error
    with pytest.raises(InputError, match="learns within lineages, and the samples have none"):
        nested_cross_validate(model.set_params(within_groups=True), profiles, response)
