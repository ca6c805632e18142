"""What is learned from which data, and the stages of learning it, each kept when it is finished."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import pandas as pd
from sklearn.base import clone

from nkpredict.errors import InputError
from nkpredict.evaluate import (
    CrossValidation,
    SharedStorage,
    Tuned,
    Tuning,
    check_groups,
    check_sample_count,
    help_nested,
    help_tune,
    nested_cross_validate,
    tune,
)
from nkpredict.evidence import GeneEvidence
from nkpredict.explain import driver_scores
from nkpredict.facts import TrialFacts
from nkpredict.features import Profiles
from nkpredict.io import KeptSteps, to_json, write_json
from nkpredict.learn import ChanceSkillWarning, NKSusceptibilityModel
from nkpredict.registry import load_bundle, save_bundle
from nkpredict.training._config import TrainingConfig
from nkpredict.training._inputs import TrainingInputs
from nkpredict.training._killing_curve import TrainedCurve, required_viability, train_curve
from nkpredict.training._spec import ModelSpec, read_spec
from nkpredict.types import Progress

_DEPENDS_ON = ("nkpredict", "lightgbm", "numpy", "optuna", "pandas", "scikit-learn", "scipy")
"""Packages of which another version may give other numbers, so that nothing kept is used."""
_TABLE, _VALUES = "table.parquet", "values.json"
_ALL_SAMPLES = "all samples"


@dataclass(frozen=True)
class Fitted:
    """A model fitted on all samples, and what it warned of."""

    model: NKSusceptibilityModel
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """What is learned from which data, checked; its methods are the stages of a run.

    A stage that was finished in an earlier run of the same folder is read, and what is read is the
    same as what was made: the bundle of a run that was stopped has the same bytes.
    """

    spec: ModelSpec
    model: NKSusceptibilityModel
    trials: int
    repeats: int
    expression: pd.DataFrame
    target: pd.Series
    groups: pd.Series | None
    viability: pd.DataFrame | None
    journals: Path
    kept: KeptSteps
    shared: SharedStorage | None

    @classmethod
    def of(cls, config: TrainingConfig, inputs: TrainingInputs) -> Task:
        """Check that the data suffice for what is asked.

        Raises
        ------
        InputError
            When they do not.
        """
        panel, spec = inputs.panel, read_spec(config.spec)
        check_sample_count(panel.n_obs, spec.folds)
        model = spec.model(inputs.evidence, config.random_state, inputs.modules, inputs.precision)
        viability = required_viability(panel, model, spec.folds) if config.curves else None
        groups = panel.obs.get("lineage")
        check_groups(model, groups)
        trials = spec.trials if config.trials is None else config.trials
        return cls(
            spec=spec,
            model=model,
            trials=trials,
            repeats=spec.repeats if config.repeats is None else config.repeats,
            expression=Profiles.of(panel).frame(),
            target=panel.obs["susceptibility"],
            groups=groups,
            viability=viability,
            journals=config.folder / "journals",
            kept=KeptSteps(config.folder / "steps", _key(config)),
            shared=_shared(config, spec, trials),
        )

    @property
    def within(self) -> pd.Series | None:
        """Lineages whose own level is taken out before learning."""
        return self.groups if self.spec.within_groups else None

    def evaluated(self, config: TrainingConfig, report: Progress) -> CrossValidation:
        """Evaluate the recipe on samples held out, fold by fold."""
        return nested_cross_validate(
            *self._asked,
            **self._splitting,
            peers=config.peers,
            tuning=self._tuning,
            n_jobs=config.jobs,
            progress=report,
        )

    def helped(self) -> bool:
        """Do free trials of the folds and of all samples; return whether all are finished.

        Raises
        ------
        InputError
            When no storage is shared, or it cannot be used.
        """
        folds = help_nested(*self._asked, **self._splitting, tuning=self._tuning)
        assert self.shared is not None  # noqa: S101 - for the type checker; refused above
        return help_tune(**self._on_all_samples, shared=self.shared) and folds

    @property
    def _asked(self) -> tuple[NKSusceptibilityModel, pd.DataFrame, pd.Series, pd.Series | None]:
        return self.model, self.expression, self.target, self.groups

    @property
    def _on_all_samples(self) -> dict[str, Any]:
        """What is tuned on all samples, for whoever does the trials."""
        return {
            "model": self.model,
            "X": self.expression,
            "y": self.target,
            "groups": self.within,
            "space": self.spec.search_space,
            "trials": self.trials,
            "name": _ALL_SAMPLES,
        }

    @property
    def _splitting(self) -> dict[str, Any]:
        return {
            "folds": self.spec.folds,
            "repeats": self.repeats,
            "random_state": self.model.random_state,
        }

    @property
    def _tuning(self) -> Tuning:
        return Tuning(
            self.spec.search_space, self.trials, self.journals, self.kept, shared=self.shared
        )

    def tuned(self, report: Progress) -> Tuned:
        """Choose the settings on all samples."""

        def make(folder: Path) -> None:
            found = tune(
                **self._on_all_samples,
                journal=self.journals / "tuning-all-samples.journal",
                shared=self.shared,
                progress=report,
            )
            content = {
                "settings": found.settings,
                "error": found.error,
                "trials": found.trials,
                "tried": [trial.to_json() for trial in found.tried],
            }
            write_json(folder / _VALUES, content)

        values = json.loads((self.kept.done("tuning", make) / _VALUES).read_text())
        return Tuned(
            model=clone(self.model).set_params(**values["settings"]),
            settings=values["settings"],
            error=float("nan") if values["error"] is None else values["error"],
            trials=values["trials"],
            tried=tuple(TrialFacts.from_json(trial) for trial in values["tried"]),
        )

    def fitted(self, tuned: Tuned) -> Fitted:
        """Fit the model with its settings on all samples."""

        def make(folder: Path) -> None:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ChanceSkillWarning)
                model = tuned.model.fit(self.expression, self.target, groups=self.within)
            told = [str(w.message) for w in caught if issubclass(w.category, ChanceSkillWarning)]
            save_bundle(model, folder / "bundle")
            write_json(folder / _VALUES, told)

        found = self.kept.done("fitting", make)
        told = json.loads((found / _VALUES).read_text(encoding="utf-8"))
        model = cast(NKSusceptibilityModel, load_bundle(found / "bundle").model)
        return Fitted(model, tuple(told))

    def curve(
        self, fitted: NKSusceptibilityModel, jobs: int, report: Progress
    ) -> TrainedCurve | None:
        """Fit the killing curve, None when it was not asked for."""
        viability = self.viability
        if viability is None:
            return None

        def make(folder: Path) -> None:
            trained = train_curve(
                self.model,
                fitted,
                self.expression,
                viability,
                folds=self.spec.folds,
                jobs=jobs,
                progress=report,
            )
            save_bundle(trained.model, folder / "bundle")
            trained.errors.to_parquet(folder / _TABLE)

        found = self.kept.done("curve", make)
        curve = load_bundle(found / "bundle").curve
        return None if curve is None else TrainedCurve(curve, pd.read_parquet(found / _TABLE))

    def drivers(
        self, fitted: NKSusceptibilityModel, evidence: GeneEvidence | None, report: Progress
    ) -> pd.DataFrame:
        """Return genes that may drive the response."""

        def make(folder: Path) -> None:
            driver_scores(
                fitted.harmonised(self.expression),
                self.target.to_numpy(),
                evidence,
                None if self.groups is None else self.groups.to_numpy(),
                random_state=self.model.random_state,
                progress=report,
            ).to_parquet(folder / _TABLE)

        return pd.read_parquet(self.kept.done("drivers", make) / _TABLE)


def _shared(config: TrainingConfig, spec: ModelSpec, trials: int) -> SharedStorage | None:
    """Return where processes with the same data, recipe and packages meet, None without one."""
    if config.storage is None:
        return None
    if not trials or not spec.search_space:
        raise InputError(
            f"Nothing is tuned ({trials} trials, {len(spec.search_space)} settings to search), so "
            "that --storage would stay empty; expected --trials N and a recipe with a search_space."
        )
    # the same recipe may lie elsewhere on another machine
    recipe = to_json(asdict(spec))
    key = f"{config.name} {_key(replace(config, spec=recipe))[:16]}"
    return SharedStorage(config.storage, key, config.heartbeat)


def _key(config: TrainingConfig) -> str:
    """Return a hash of the settings, the contents of the files and the packages."""
    versions = {name: version(name) for name in _DEPENDS_ON}
    text = to_json({"config": config.fingerprint(), "versions": versions})
    return hashlib.sha256(text.encode()).hexdigest()
