from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict.errors import InputError
from nkpredict.evidence import ScreenTable


def table(**changes: object) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "gene": ["B2M", "FADD"],
            "screen": "s1",
            "cell_line": "K562",
            "perturbation": "loss",
            "effector": "primary NK",
            "effect": [-1.0, 0.5],
            "lfc": [-1.0, 0.5],
            "p": [1e-5, np.nan],
            "fdr": [0.01, np.nan],
            "source": "made up",
        }
    ).assign(**changes)


def test_valid_table_has_a_readable_form():
    assert repr(ScreenTable(table())) == (
        "ScreenTable(1 screens (1 loss), 2 genes, effectors: primary NK)"
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (table().drop(columns="effector"), "lacks the columns effector"),
        (table().iloc[:0], "no rows"),
        (table(gene="B2M"), "more than once"),
        (table(gene=["B2M", ""]), "no gene in 1 rows"),
        (table(perturbation="knockout"), "perturbation knockout"),
        (table(effect=[np.nan, 0.5]), "no finite effect"),
        (table(effect=[1.0, 0.5]), "not its signed lfc"),
        (table(p=[2.0, 0.1]), "outside 0 to 1"),
        (table(p=["a", "b"]), "text in the column p"),
        (table(effector=["NK-92", "KHYG-1"]), "more than one way"),
    ],
)
def test_breaches_of_the_contract_are_refused(rows, message):
    with pytest.raises(InputError, match=message):
        ScreenTable(rows)
