from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkpredict import read_response
from nkpredict.errors import InputError
from nkpredict.io import area_under_curve
from nkpredict.io._killing_curve import noise_ceiling

RATIOS = {"CTRL": 0, "NK_0.625": 0.625, "NK_1.25": 1.25, "NK_2.5": 2.5, "NK_5": 5}


def long_file(path: Path, curves: dict[str, dict[str, float]]) -> Path:
    rows = [
        {
            "cell_line": line,
            "Condition": f"D1_{condition}",
            "pctviability": viability,
            "DepMap_ID": f"ACH-{number:06d}",
            "Subtype": "AML",
        }
        for number, (line, curve) in enumerate(curves.items())
        for condition, viability in curve.items()
    ]
    pd.DataFrame(rows).to_csv(path, sep="\t", index=False)
    return path


def curve(*viability: float) -> dict[str, float]:
    return dict(zip(RATIOS, viability, strict=True))


def test_long_prism_file_gives_one_minus_the_area(tmp_path: Path) -> None:
    path = long_file(
        tmp_path / "v.txt",
        {"none": curve(100, 100, 100, 100, 100), "falling": curve(100, 80, 60, 40, 20)},
    )
    response = read_response(path)
    area = np.trapezoid([100, 80, 60, 40, 20], list(RATIOS.values())) / 500
    assert response.susceptibility["none"] == pytest.approx(0)
    assert response.susceptibility["falling"] == pytest.approx(1 - area)
    assert response.table.loc["falling", "viability_auc"] == pytest.approx(area)
    assert response.provenance.offset + response.provenance.slope * area == pytest.approx(
        response.susceptibility["falling"]
    )
    assert response.table["depmap_id"].tolist() == ["ACH-000001", "ACH-000000"]


def test_hut78_is_left_out_and_recorded(tmp_path: Path) -> None:
    path = long_file(
        tmp_path / "v.txt",
        {"HUT78": curve(100, 9, 9, 9, 9), "K562": curve(100, 90, 80, 70, 60)},
    )
    response = read_response(path)
    assert list(response.table.index) == ["K562"]
    assert response.provenance.lines_excluded_by_the_study == ("HUT78",)


def test_missing_ratios_are_bridged_extrapolated_or_dropped(tmp_path: Path) -> None:
    full = curve(100, 90, 80, 60, 50)
    path = long_file(
        tmp_path / "v.txt",
        {
            "full": full,
            "no control": {k: v for k, v in full.items() if k != "CTRL"},
            "no middle": {k: v for k, v in full.items() if k != "NK_1.25"},
            "no top": {k: v for k, v in full.items() if k != "NK_5"},
            "too few": {"CTRL": 100, "NK_0.625": 90},
        },
    )
    response = read_response(path)
    auc = response.table["viability_auc"]
    assert auc["no control"] == pytest.approx(auc["full"])
    assert auc["no middle"] == pytest.approx(
        np.trapezoid([100, 90, 60, 50], [0, 0.625, 2.5, 5]) / 500
    )
    assert response.provenance.lines_extrapolated == ("no top",)
    assert response.provenance.lines_with_too_few_ratios == ("too few",)
    assert auc["no top"] > auc["full"]


def test_replicates_give_a_noise_ceiling(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    true = rng.uniform(0.2, 1, 30)
    rows = []
    for replicate in (1, 2, 3):
        for condition, ratio in RATIOS.items():
            fall = 100 * np.exp(-true * ratio / 2) + rng.normal(0, 3, 30) * (ratio > 0)
            lines = {f"L{i}_HAEMATOPOIETIC_AND_LYMPHOID_TISSUE": v for i, v in enumerate(fall)}
            rows.append(
                {"Condition": f"D1_{condition}", "Biological_replicate": replicate, **lines}
            )
    pd.DataFrame(rows).to_csv(tmp_path / "r.txt", sep="\t", index=False)
    response = read_response(tmp_path / "r.txt")
    ceiling = response.provenance.replicates
    assert len(response.table) == 30
    assert ceiling.replicates == 3
    assert 0.9 < ceiling.spearman_ceiling <= 1
    assert ceiling.spearman_ceiling > ceiling.replicate_spearman
    # measured alike, all count alike
    assert "weight" not in response.table
    assert response.provenance.weights is None
    single = noise_ceiling(pd.DataFrame({"1": true}))
    assert np.isnan(single.spearman_ceiling)


def test_lines_count_by_their_replicates_whatever_they_are_called(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    curves = {f"L-{i}": curve(100, *(np.array([90, 75, 55, 40]) - 3 * i)) for i in range(8)}
    rows = []
    for replicate in (1, 2, 3):
        for condition in RATIOS:
            row = {f"L{i}": v[condition] + rng.normal(0, 5) for i, v in enumerate(curves.values())}
            rows.append({"Condition": f"D1_{condition}", "Biological_replicate": replicate, **row})
    repeated = pd.DataFrame(rows)
    repeated.loc[repeated["Biological_replicate"] > 1, "L3"] = np.nan
    repeated.to_csv(tmp_path / "r.txt", sep="\t", index=False)
    path = long_file(tmp_path / "v.txt", curves)
    response = read_response(path, replicates=tmp_path / "r.txt")
    weight = response.table["weight"]
    assert weight.idxmin() == "L-3"
    assert np.ptp(weight.drop("L-3")) == 0
    assert response.provenance.weights.least == weight["L-3"]
    assert "weight" not in read_response(path).table
    table = pd.DataFrame({"line": ["L-0", "L-1"], "score": [1.5, 2.5]})
    table.to_csv(tmp_path / "t.csv", index=False)
    simple = read_response(
        tmp_path / "t.csv", direction="lower-is-sensitive", replicates=tmp_path / "r.txt"
    )
    assert "weight" not in simple.table


@pytest.mark.parametrize(
    ("direction", "values", "expected"),
    [
        ("lower-is-sensitive", [0.2, 0.9, 1.1], [0.8, 0.1, -0.1]),
        ("lower-is-sensitive", [-3.0, 2.0, 8.0], [3.0, -2.0, -8.0]),
        ("higher-is-sensitive", [5.0, 70.0, 20.0], [5.0, 70.0, 20.0]),
    ],
)
def test_simple_tables_keep_the_way_back(
    tmp_path: Path, direction: str, values: list[float], expected: list[float]
) -> None:
    path = tmp_path / "r.csv"
    pd.DataFrame({"sample": ["a", "b", "c"], "value": values}).to_csv(path, index=False)
    response = read_response(path, direction=direction)
    np.testing.assert_allclose(response.susceptibility, expected, atol=1e-12)
    back = (response.susceptibility - response.provenance.offset) / response.provenance.slope
    np.testing.assert_allclose(back, values, atol=1e-12)


def test_missing_values_are_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("sample,auc\na,0.5\nb,\nc,0.7\n")
    response = read_response(tmp_path / "r.csv", direction="lower-is-sensitive")
    assert list(response.table.index) == ["a", "c"]
    assert response.provenance.samples_without_value == ("b",)


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("sample,x,y\na,1,2\n", {"direction": "lower-is-sensitive"}, "has 2 columns of numbers"),
        ("sample,x\na,1\n", {}, "does not say whether high or low x means sensitive"),
        ("sample,x\na,1\n", {"target": "z"}, "has no column 'z'; it has x"),
        ("sample,x\na,1\na,2\n", {"direction": "lower-is-sensitive"}, r"more than once \(a\)"),
        (
            "sample,x\na,low\nb,2\n",
            {"target": "x", "direction": "lower-is-sensitive"},
            r"text in 1 cells of x \(low\)",
        ),
        ("sample\na\nb\n", {}, "has one column only"),
        (
            "cell_line\tCondition\tpctviability\nK562\tD1_NK_high\t50\n",
            {},
            r"not understood \(D1_NK_high\)",
        ),
        (
            "cell_line\tCondition\tpctviability\nK562\tD1_CTRL\t100\nK562\tD2_NK_5\t50\n",
            {},
            "holds 2 NK donors",
        ),
    ],
)
def test_bad_responses_get_one_clear_sentence(
    tmp_path: Path, content: str, arguments: dict, message: str
) -> None:
    path = tmp_path / "r.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_response(path, **arguments)


@given(viability=st.lists(st.floats(0, 150), min_size=5, max_size=5))
def test_area_lies_between_the_lowest_and_highest_viability(viability: list[float]) -> None:
    curves = pd.DataFrame([viability], columns=list(RATIOS.values()))
    area = area_under_curve(curves)["viability_auc"].iloc[0]
    assert min(viability) / 100 - 1e-9 <= area <= max(viability) / 100 + 1e-9
