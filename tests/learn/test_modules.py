"""Module scores beside the genes: learned inside the fold, passed on to genes, kept in a bundle."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from nkpredict import NKSusceptibilityModel, load_bundle, save_bundle, score
from nkpredict.errors import BundleError, InputError
from nkpredict.explain import explain, explain_scores, knockout
from nkpredict.facts import ModelFacts
from nkpredict.learn import EvidenceBoosting, EvidenceRidge, fit_warnings_ignored
from nkpredict.registry._state import ModelState, model_from, state_of

RIDGE, TREES = np.array([1.0, 0.0]), np.array([0.0, 1.0])


@pytest.fixture(scope="module")
def sets(genes: list[str]) -> dict[str, list[str]]:
    return {"b": genes[:25], "a": [*genes[20:24], "NOT_THERE"], "c": genes[60:], "few": genes[:2]}


@pytest.fixture(scope="module")
def training(genes: list[str]) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    profiles = pd.DataFrame(
        rng.normal(5, 1, (60, 120)), columns=genes, index=[f"S{i:02d}" for i in range(60)]
    )
    profiles.iloc[4, 3] = np.nan
    response = profiles[genes[:25]].mean(axis=1) + rng.normal(0, 0.2, 60)
    return profiles, response


def unfitted(modules: object = None) -> NKSusceptibilityModel:
    return NKSusceptibilityModel(
        learners=[EvidenceRidge(), EvidenceBoosting(trees=30, models=1)], modules=modules
    )


@pytest.fixture(scope="module")
def model(training, sets) -> NKSusceptibilityModel:
    return unfitted(sets).fit(*training)


@pytest.fixture
def patients(genes: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        rng.normal(5, 1, (9, 120)), columns=genes, index=[f"P{i}" for i in range(9)]
    )
    table.iloc[2, 5:9] = np.nan
    return table.drop(columns=[genes[7], genes[61]])


def test_a_module_that_drives_the_response_is_learned(model, training, genes) -> None:
    assert model.modules_ == {
        "a": tuple(genes[20:24]),
        "b": tuple(genes[:25]),
        "c": tuple(genes[60:]),
    }
    with fit_warnings_ignored():
        # without the module hardly anything is learned
        plain = unfitted().fit(*training)
    assert model.skill_["spearman"] > plain.skill_["spearman"] + 0.1
    assert model.effect_[:25].mean() > 2 * np.abs(model.effect_[30:]).mean()


def held_out(model, profiles, response):
    return list(model.cross_predict(model.inner_folds(profiles, response)))


def test_without_modules_nothing_changes(training) -> None:
    with fit_warnings_ignored():
        plain = unfitted().fit(*training)
    assert plain.modules_ is None
    harmonised = plain.harmonised(training[0]).to_numpy()
    assert plain.core_.learner_input(harmonised).values is harmonised
    state = state_of(plain)
    assert "modules" not in state.settings | state.settings["parameters"]
    assert "core.module_slopes" not in state.arrays


def test_scores_are_learned_inside_the_fold(training, sets) -> None:
    """Other values in a held-out sample change no prediction of its companions."""
    profiles, response = training
    folds = held_out(unfitted(sets), profiles, response)
    test, expected = folds[0]
    changed = profiles.copy()
    changed.iloc[test[0], :25] += 40 * np.arange(25)
    others, predicted = held_out(unfitted(sets), changed, response)[0]
    np.testing.assert_array_equal(others, test)
    np.testing.assert_array_equal(predicted[1:], expected[1:])
    assert (predicted[0] != expected[0]).all()


def test_parts_of_genes_add_up_to_the_prediction(model, patients) -> None:
    parts, base = model.contributions(patients)
    np.testing.assert_allclose(parts.sum(axis=1) + base, model.predict(patients), atol=1e-12)
    core, harmonised = model.core_, model.harmonised(patients).to_numpy()
    for number, weights in enumerate((RIDGE, TREES)):
        own, own_base = core.contributions(harmonised, weights)
        expected = core.predict_each(harmonised)[:, number]
        np.testing.assert_allclose(own.sum(axis=1) + own_base, expected, atol=1e-12)


def test_parts_and_perturbations_are_exact_for_the_linear_learner(model, patients) -> None:
    core, harmonised = model.core_, model.harmonised(patients).to_numpy()
    before = core.predict_each(harmonised)[:, 0]
    for level in (core.center_, model.range_[0]):
        change = core.substituted(harmonised, level, RIDGE)
        for gene in (0, 3, 7, 22, 40, 90):
            moved = harmonised.copy()
            moved[:, gene] = level[gene]
            after = core.predict_each(moved)[:, 0]
            np.testing.assert_allclose(change[:, gene], after - before, atol=1e-12)
    parts, _ = core.contributions(harmonised, RIDGE)
    np.testing.assert_allclose(
        parts, -core.substituted(harmonised, core.center_, RIDGE), atol=1e-12
    )
    standard = np.nan_to_num(core.standardise(harmonised))
    measured = np.arange(120) != 3  # a learner's spread counts missing training values as average
    expected = core.effect(harmonised, RIDGE) * standard
    np.testing.assert_allclose(parts[:, measured], expected[:, measured], atol=1e-12)


def test_a_gene_that_is_alike_in_all_samples_has_no_effect(training, sets, genes) -> None:
    profiles, response = training
    lowest = profiles.assign(**{genes[1]: 0.0})
    fitted = unfitted(sets).fit(lowest, response)
    assert np.flatnonzero(np.isinf(fitted.core_.spread_)).tolist() == [1]
    assert fitted.effect_[1] == 0
    assert genes[1] in fitted.modules_["b"]


def test_a_sample_alone_is_as_in_its_cohort(model, patients) -> None:
    parts, _ = model.contributions(patients)
    predicted, change = model.predict(patients), model.substituted(patients, model.range_[1])
    for number in range(len(patients)):
        one = patients.iloc[[number]]
        assert model.predict(one)[0] == predicted[number]
        pd.testing.assert_frame_equal(
            model.contributions(one)[0], parts.iloc[[number]], check_exact=True
        )
        np.testing.assert_array_equal(
            model.substituted(one, model.range_[1]), change[[number]], strict=True
        )


def test_such_a_model_scores_and_explains(model, patients) -> None:
    scores = explain_scores(score(patients, model))
    total = scores.contributions.sum(axis=1) + scores.base_value
    np.testing.assert_allclose(total, scores.table["susceptibility"], atol=1e-9)
    assert set(explain(model, patients).contributions) == set(model.feature_names_in_)
    changes = knockout(model, patients).changes
    assert changes.to_numpy()[:, :25].mean() < changes.to_numpy()[:, 30:60].mean()


def test_a_bundle_keeps_the_modules(model, training, patients, tmp_path: Path) -> None:
    save_bundle(model, tmp_path / "a", ModelFacts(name="m"))
    loaded = load_bundle(tmp_path / "a").model
    assert loaded.modules_ == loaded.modules == model.modules_
    assert loaded.predict(patients).tobytes() == model.predict(patients).tobytes()
    pd.testing.assert_frame_equal(
        loaded.contributions(patients)[0], model.contributions(patients)[0], check_exact=True
    )
    np.testing.assert_array_equal(
        loaded.substituted(patients, model.range_[0]), model.substituted(patients, model.range_[0])
    )
    assert "- Module scores: 3 gene sets (as given), 85 genes" in (
        tmp_path / "a" / "card.md"
    ).read_text(encoding="utf-8")
    save_bundle(loaded, tmp_path / "b", ModelFacts(name="m"))
    for name in ("arrays.npz", "model.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    refitted = clone(loaded).fit(*training)
    assert refitted.predict(patients).tobytes() == model.predict(patients).tobytes()


def test_altered_modules_do_not_fit(model) -> None:
    state = state_of(model)
    for wrong in ({"a": state.settings["modules"]["a"]}, {"a": ["A", "B", "C"]}):
        settings = json.loads(json.dumps(state.settings | {"modules": wrong}))
        with pytest.raises(BundleError, match="do not fit together"):
            model_from(ModelState(state.arrays, settings, state.trees))


def test_modules_are_a_parameter_like_others(sets, training) -> None:
    copy = clone(unfitted(sets))
    assert copy.get_params()["modules"] == sets
    assert clone(unfitted("nk")).modules == "nk"
    with pytest.raises(InputError, match="None of the 12 gene sets"):
        unfitted("nk").fit(*training)
