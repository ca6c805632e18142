"""Data that ship: what they hold, and that the simulated ones say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nkpredict


def test_the_cohort_has_its_covariates_and_a_recorded_reading() -> None:
    cohort = nkpredict.datasets.chiaretti_all()
    assert cohort.shape == (128, 7596)
    assert cohort.obs["BT"].str[0].value_counts().to_dict() == {"B": 95, "T": 33}
    assert np.isfinite(cohort.X).all()
    assert "nkpredict" in cohort.uns


@pytest.mark.slow
def test_the_simulated_study_is_marked_and_written_where_asked(tmp_path: Path) -> None:
    study = nkpredict.datasets.simulated_study(tmp_path / "study")
    assert all(path.name.startswith("SIMULATED_") for path in (study.expression, study.screens))
    assert study.patients.is_file()


@pytest.mark.slow
def test_without_a_folder_the_simulated_study_lies_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = nkpredict.datasets.simulated_study()
    again = nkpredict.datasets.simulated_study()
    assert first.folder == again.folder
    assert first.folder.is_relative_to(tmp_path)
