"""The genes that lower each sample most."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict.explain import genes_by_sample, lowest_in_rows


@pytest.mark.parametrize(("samples", "genes"), [(1, 3), (7, 40), (1200, 12), (0, 5)])
def test_the_lowest_of_each_sample_are_listed(samples, genes):
    rng = np.random.default_rng(samples)
    parts = pd.DataFrame(
        rng.normal(size=(samples, genes)),
        index=[f"S{i}" for i in range(samples)],
        columns=[f"G{i}" for i in range(genes)],
    )
    known = pd.DataFrame({"gene": ["G0"], "direction": "protects", "evidence_reading": "agrees"})
    table = genes_by_sample(2 * parts, parts, known)
    assert list(table) == [
        "sample",
        "rank",
        "gene",
        "difference",
        "contribution",
        "direction",
        "evidence_reading",
    ]
    expected = {
        name: row[row < 0].sort_values().head(10)
        for name, row in parts.iterrows()
        if (row < 0).any()
    }
    assert list(dict.fromkeys(table["sample"])) == list(expected)
    for name, rows in table.groupby("sample"):
        assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
        assert rows["gene"].tolist() == expected[name].index.tolist()
        np.testing.assert_array_equal(rows["difference"], expected[name])
        np.testing.assert_array_equal(rows["contribution"], 2 * expected[name])
    told = table["gene"] == "G0"
    assert (table.loc[told, "direction"] == "protects").all()
    assert (table.loc[~told, "direction"] == "unclear").all()
    assert (table.loc[~told, "evidence_reading"] == "no evidence").all()


def test_equal_values_keep_the_order_of_the_columns():
    values = np.zeros((2, 6))
    values[1, 4] = -1
    assert lowest_in_rows(values, 3)[1].tolist()[0] == 4
    assert lowest_in_rows(values, 9)[0].tolist() == list(range(6))
