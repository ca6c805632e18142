"""Recipes of models: learners, search space and seeds, from models/<name>/spec.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nkpredict.configuration import DEFAULT_SPEC
from nkpredict.errors import InputError
from nkpredict.features import ModuleScores
from nkpredict.learn import LEARNERS, Evidence, NKSusceptibilityModel
from nkpredict.shipped import shipped_path
from nkpredict.yaml_text import read_yaml


@dataclass(frozen=True)
class ModelSpec:
    """A recipe.

    Attributes
    ----------
    name
        Name of the recipe.
    random_state, inner_folds
        Seed and inner folds of the model.
    within_groups
        Whether each lineage's own level is taken out of the response before learning.
    learners
        Name of a learner → its settings.
    search_space
        Parameter name → bounds; see `nkpredict.evaluate.tune`.
    folds, repeats, trials
        Defaults of the evaluation.
    """

    name: str
    random_state: int
    inner_folds: int
    within_groups: bool
    learners: dict[str, dict[str, Any]]
    search_space: dict[str, dict[str, Any]]
    folds: int
    repeats: int
    trials: int

    def model(
        self,
        evidence: Evidence = None,
        random_state: int | None = None,
        modules: ModuleScores | None = None,
        precision: pd.Series | None = None,
    ) -> NKSusceptibilityModel:
        """Return the unfitted model.

        Raises
        ------
        InputError
            When the recipe names a setting the learners do not have.
        """
        try:
            learners = [
                kind(**self.learners[kind.name]) for kind in LEARNERS if kind.name in self.learners
            ]
        except TypeError as error:
            raise InputError(f"The model spec {self.name} has a wrong setting: {error}.") from error
        return NKSusceptibilityModel(
            evidence=evidence,
            random_state=self.random_state if random_state is None else random_state,
            learners=learners,
            folds=self.inner_folds,
            within_groups=self.within_groups,
            modules=None if modules is None else modules.gene_sets,
            precision=precision,
        )


def read_spec(name_or_path: str | Path = DEFAULT_SPEC) -> ModelSpec:
    """Read a recipe by the name of a model in the zoo or from a YAML file.

    Raises
    ------
    InputError
        When there is no such recipe or it is malformed.
    """
    path = Path(name_or_path)
    if not path.is_file():
        try:
            path = shipped_path("models", str(name_or_path), "spec.yaml")
        except FileNotFoundError as error:
            known = sorted(p.parent.name for p in shipped_path("models").glob("*/spec.yaml"))
            raise InputError(
                f"There is no model spec {name_or_path}; expected a YAML file or one of "
                f"{', '.join(known)}."
            ) from error
    try:
        content = read_yaml(path)
        evaluation = content["evaluation"]
        return ModelSpec(
            name=str(content["name"]),
            random_state=int(content["random_state"]),
            inner_folds=int(content["folds"]),
            within_groups=bool(content.get("within_groups", False)),
            learners={
                kind.name: dict(content[kind.name]) for kind in LEARNERS if kind.name in content
            },
            search_space={k: dict(v) for k, v in content["search_space"].items()},
            folds=int(evaluation["folds"]),
            repeats=int(evaluation["repeats"]),
            trials=int(evaluation["trials"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"The model spec {path} is malformed ({error!r}).") from error
