from __future__ import annotations

import pytest

from experiments.benchmark.blends import DEFAULT, RECIPES, main


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::nkpredict.learn.ChanceSkillWarning")
def test_recipes_are_compared_on_what_ships(tmp_path, capsys) -> None:
    compared = [DEFAULT, "plain ridge", "ridge and PLS"]
    arguments = ["--shipped", "--folds", "2", "--splits", "random", "--out", str(tmp_path)]
    assert main([*arguments, "--recipes", *compared]) == 0
    first = capsys.readouterr()
    assert "SIMULATED" in first.out
    assert "reference" in first.out
    fits = sorted(tmp_path.rglob("*.json"))
    assert len(fits) == 2 * 2 * len(compared)  # responses × folds
    assert main([*arguments, "--recipes", *compared]) == 0
    assert sorted(tmp_path.rglob("*.json")) == fits
    assert capsys.readouterr().out == first.out


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_names_each_kind_of_learner_once(recipe) -> None:
    kinds = [learner.name for learner in RECIPES[recipe]()]
    assert kinds
    assert len(set(kinds)) == len(kinds)


def test_files_that_are_missing_are_said(tmp_path, capsys) -> None:
    assert main(["--data", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("blends: ")
