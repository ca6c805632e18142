"""The folder of results."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict.errors import InputError
from nkpredict.report import write_results
from nkpredict.scoring import RESULT_FILES, check_results_folder

OPTIONAL_FILES = {
    "axes.csv",
    "cells.json",
    "cells.parquet",
    "druggable_targets.csv",
    "drugs.csv",
    "drugs_by_sample.csv",
    "resistance_genes_by_sample.parquet",
    "separating_genes.csv",
    "viability.csv",
}
OUTCOME_FILES = {"outcome.csv", "outcome_curves.csv"}


def with_properties(scores):
    scores.simulated = scores.provenance.simulated
    return scores


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
def test_all_files_are_written_and_may_be_written_again(make_scores, tmp_path):
    scores = with_properties(make_scores(full=True, simulated=True))
    for _ in range(2):
        folder = write_results(scores, tmp_path / "out", figures=True)
        assert names(folder) == sorted(
            set(RESULT_FILES) - OUTCOME_FILES - {"axes.csv", "cells.json", "cells.parquet"}
        )
        assert names(tmp_path) == ["out"]
    figures = names(folder / "figures")
    for name in (
        "ranking",
        "lineages",
        "genes",
        "targets",
        "waterfall_highest",
        "waterfall_lowest",
    ):
        assert f"{name}.png" in figures
        assert f"{name}.svg" in figures
    pairs = pd.read_csv(folder / "druggable_targets.csv")
    assert set(pairs["drug"]) == set(scores.targets["drug"])
    assert (pairs["mark"] == "SIMULATED").all()
    assert (pd.read_csv(folder / "drugs.csv")["note"] == "SIMULATED").all()
    viability = pd.read_csv(folder / "viability.csv", index_col="sample")
    assert (viability.pop("note") == "SIMULATED").all()
    assert list(viability)[1] == "viability_percent_ET_0.625"
    np.testing.assert_allclose(viability, scores.viability, rtol=1e-5)


@pytest.mark.slow
def test_scores_without_drugs_or_contributions(make_scores, tmp_path):
    scores = with_properties(make_scores(n=1))
    scores.contributions[:] = 0.0
    folder = write_results(scores, tmp_path / "out", figures=True)
    assert names(folder) == sorted(set(RESULT_FILES) - OPTIONAL_FILES - OUTCOME_FILES)
    assert names(folder / "figures") == [
        f"{name}.{ending}"
        for name in ("lineages", "ranking", "waterfall_highest")
        for ending in ("png", "svg")
    ]


@pytest.mark.parametrize("foreign", ["notes.txt", "figures/mine.png", "figures"])
def test_foreign_files_are_never_replaced(tmp_path, foreign):
    path = tmp_path / foreign
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(InputError, match=f"no results of scoring \\({foreign}\\)"):
        check_results_folder(tmp_path)
