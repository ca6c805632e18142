"""Drivers of real drug responses that are known; skipped where the files are not present."""

from __future__ import annotations

from pathlib import Path

import pytest

from nkpredict import driver_scores, read_panel

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.mark.parametrize(
    ("drug", "gene", "sign"),
    [("Venetoclax", "BCL2", 1), ("AZD5991", "BCL2L1", -1), ("Talazoparib", "SLFN11", 1)],
)
def test_the_known_determinant_of_a_drug_comes_first(
    shared_data: Path, drug: str, gene: str, sign: int
) -> None:
    panel = read_panel(
        shared_data / "expression" / "gdsc_blood_cell_lines.csv.gz",
        shared_data / "response" / "gdsc2_auc_blood.csv",
        target=drug,
        direction="lower-is-sensitive",
        obs=shared_data / "expression" / "gdsc_blood_cell_lines_obs.csv",
    )
    first = driver_scores(panel, "susceptibility", groups="lineage").iloc[0]
    assert first["gene"] == gene
    assert first["probability"] > 0.8
    assert first["effect"] * sign > 0
