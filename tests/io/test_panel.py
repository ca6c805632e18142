from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nkpredict import read_panel
from nkpredict.errors import InputError
from nkpredict.io import facts_of


@pytest.fixture
def files(tmp_path: Path, profiles: pd.DataFrame, susceptibility: pd.Series) -> dict[str, Path]:
    profiles.to_csv(tmp_path / "x.csv")
    susceptibility.rename_axis("sample").to_csv(tmp_path / "y.csv")
    pd.DataFrame({"lineage": ["AML", "BCL"] * 30}, index=profiles.index).to_csv(
        tmp_path / "obs.csv"
    )
    return {"expression": tmp_path / "x.csv", "response": tmp_path / "y.csv"}


def test_samples_are_joined_by_name_in_any_order(
    files: dict[str, Path], tmp_path: Path, susceptibility: pd.Series
) -> None:
    susceptibility.sample(frac=0.7, random_state=0).to_csv(files["response"])
    panel = read_panel(**files, direction="higher-is-sensitive", obs=tmp_path / "obs.csv")
    assert panel.n_obs == 42
    pd.testing.assert_series_equal(
        panel.obs["susceptibility"],
        susceptibility[panel.obs_names],
        check_names=False,
    )
    facts = facts_of(panel).panel
    assert facts.samples_without_response == 18
    assert sum(facts.lineages.values()) == 42


def test_names_match_without_suffix_and_punctuation(tmp_path: Path, profiles: pd.DataFrame) -> None:
    profiles.rename(index={"S00": "MV-4-11", "S01": "THP-1"}).to_csv(tmp_path / "x.csv")
    names = ["MV411_HAEMATOPOIETIC_AND_LYMPHOID_TISSUE", "thp1"]
    pd.DataFrame({"auc": [0.5, 0.6]}, index=names).to_csv(tmp_path / "y.csv")
    panel = read_panel(tmp_path / "x.csv", tmp_path / "y.csv", direction="lower-is-sensitive")
    assert list(panel.obs_names) == ["MV-4-11", "THP-1"]
    assert "without suffix" in facts_of(panel).panel.matched_by


def test_responses_without_expression_are_an_error_unless_dropped(
    files: dict[str, Path], susceptibility: pd.Series
) -> None:
    pd.concat([susceptibility, pd.Series({"X1": 0.4, "X2": 0.5})]).to_csv(files["response"])
    with pytest.raises(InputError, match=r"2 of 62 samples with a response .* \(X1, X2"):
        read_panel(**files, direction="higher-is-sensitive")
    panel = read_panel(**files, direction="higher-is-sensitive", drop_unmatched=True)
    assert facts_of(panel).panel.samples_without_expression == ("X1", "X2")


def test_no_common_sample_is_an_error_in_any_case(files: dict[str, Path]) -> None:
    files["response"].write_text("sample,auc\nU1,0.5\nU2,0.6\n")
    with pytest.raises(InputError, match="2 of 2 samples with a response are not in"):
        read_panel(**files, direction="lower-is-sensitive", drop_unmatched=True)


def test_two_responses_for_one_profile_are_an_error(files: dict[str, Path]) -> None:
    files["response"].write_text("sample,auc\nS00,0.5\nS-00,0.6\nS01,0.4\n")
    with pytest.raises(InputError, match="match the same expression profiles"):
        read_panel(**files, direction="lower-is-sensitive")


def test_an_unknown_lineage_column_is_named(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column 'tissue'; they have lineage"):
        read_panel(
            **files,
            direction="higher-is-sensitive",
            obs=tmp_path / "obs.csv",
            lineage_column="tissue",
        )
