"""Recipes of the zoo say nothing that the constructors do not know or contradict."""

from __future__ import annotations

from inspect import signature
from pathlib import Path

import pytest
import yaml

from nkpredict import NKSusceptibilityModel, nested_cross_validate
from nkpredict.errors import InputError
from nkpredict.learn import EvidenceRidge, default_learners
from nkpredict.shipped import shipped_path
from nkpredict.training import read_spec

SPECS = sorted(shipped_path("models").glob("*/spec.yaml"))
LEARNERS = {"ridge": EvidenceRidge}


@pytest.fixture(params=SPECS, ids=lambda path: path.parent.name)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def content(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_a_recipe_is_named_like_its_folder_and_gives_a_model(path: Path, content: dict) -> None:
    assert content["name"] == path.parent.name
    spec = read_spec(content["name"])
    assert spec == read_spec(path)
    parameters = spec.model().get_params()
    for learner in LEARNERS:
        for name, value in content[learner].items():
            assert parameters[f"{learner}__{name}"] == value


def as_written(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("learner", LEARNERS)
def test_settings_of_the_default_recipe_are_the_defaults(learner: str) -> None:
    defaults = LEARNERS[learner]().get_params()
    written = yaml.safe_load(
        shipped_path("models", "nk-susceptibility", "spec.yaml").read_text(encoding="utf-8")
    )[learner]
    assert {name: as_written(defaults[name]) for name in written} == written


def test_the_default_recipe_blends_the_default_learners() -> None:
    assert list(read_spec().learners) == [learner.name for learner in default_learners()]


def test_seeds_and_folds_of_the_default_recipe_are_the_defaults() -> None:
    spec, model = read_spec(), NKSusceptibilityModel()
    assert spec.random_state == model.random_state
    assert spec.inner_folds == model.folds
    assert spec.within_groups == model.within_groups
    evaluation = signature(nested_cross_validate).parameters
    assert spec.folds == evaluation["folds"].default
    assert spec.repeats == evaluation["repeats"].default


def test_the_search_space_names_settings_and_holds_their_defaults(content: dict) -> None:
    parameters = read_spec(content["name"]).model().get_params()
    for name, bounds in content["search_space"].items():
        assert bounds["low"] <= parameters[name] <= bounds["high"]
        assert isinstance(parameters[name], {"int": int, "float": float}[bounds["type"]])
        assert set(bounds) <= {"type", "low", "high", "log"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ridge": {"alpha": 1}}, "wrong setting.*alpha"),
        ({"boosting": None}, "is malformed"),
        ({"folds": "five"}, "is malformed"),
    ],
)
def test_a_wrong_recipe_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    content = yaml.safe_load(SPECS[0].read_text(encoding="utf-8")) | change
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=message):
        read_spec(tmp_path / "spec.yaml").model()


def test_an_unknown_recipe_lists_those_that_exist() -> None:
    with pytest.raises(InputError, match="one of nk-susceptibility"):
        read_spec("nothing")
