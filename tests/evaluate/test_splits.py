from __future__ import annotations

import numpy as np
import pytest

from nkpredict.errors import InputError
from nkpredict.evaluate import make_folds


def test_random_folds_cover_every_sample_once_in_each_repeat() -> None:
    folds = list(make_folds("random", 43, None, folds=5, repeats=3))
    assert len(folds) == 15
    for repeat in range(3):
        part = [f for f in folds if f.repeat == repeat]
        assert sorted(np.concatenate([f.test for f in part])) == list(range(43))
    assert all(len(np.intersect1d(f.train, f.test)) == 0 for f in folds)


def test_a_held_out_lineage_is_on_one_side_only() -> None:
    lineage = np.repeat(["AML", "BCL", "MM"], [20, 15, 9])
    folds = list(make_folds("lineage-held-out", 44, lineage))
    assert len(folds) == 3
    for fold in folds:
        assert len(set(lineage[fold.test])) == 1
        assert set(lineage[fold.test]).isdisjoint(lineage[fold.train])


@pytest.mark.parametrize("lineage", [None, np.repeat("AML", 30)])
def test_one_lineage_cannot_be_held_out(lineage: np.ndarray | None) -> None:
    with pytest.raises(InputError, match="needs two or more"):
        list(make_folds("lineage-held-out", 30, lineage))


def test_an_unknown_split_is_told() -> None:
    with pytest.raises(InputError, match="expected random or lineage-held-out"):
        list(make_folds("time", 30, None))
