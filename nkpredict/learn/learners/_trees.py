"""Trees of LightGBM as arrays, to ask single trees what one gene alone would change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nkpredict.types import FloatArray, IndexArray

_CATEGORICAL = 1  # bit of a split's decision type


@dataclass(frozen=True)
class Tree:
    """One tree: a sample goes left where its value is at most the threshold.

    Attributes
    ----------
    columns, thresholds : numpy.ndarray
        What each inner node splits on, shape (n_nodes,).
    left, right : numpy.ndarray
        Children of each node: an inner node, always further down in the arrays, or ``~leaf``.
    leaves : numpy.ndarray
        Value of each leaf.
    """

    columns: IndexArray
    thresholds: FloatArray
    left: IndexArray
    right: IndexArray
    leaves: FloatArray

    def changes(self, values: FloatArray, levels: FloatArray) -> tuple[IndexArray, FloatArray]:
        """Tell how the tree's value changes when one column alone is put to a level.

        Parameters
        ----------
        values
            Samples × columns, without NaN.
        levels
            Level of each column; NaN leaves it as it is.

        Returns
        -------
        columns : numpy.ndarray
            The columns that the tree splits on and that have a level.
        changes : numpy.ndarray
            These columns × samples.
        """
        with_level = self.columns[np.isfinite(levels[self.columns])]
        moved = np.array(sorted(set(with_level.tolist())), dtype=np.intp)
        goes_left = (values[:, self.columns] <= self.thresholds).T[:, None, :]
        asked = np.repeat(goes_left, len(moved) + 1, axis=1)
        node, place = np.nonzero(self.columns[:, None] == moved)
        asked[node, place] = (levels[self.columns[node]] <= self.thresholds[node])[:, None]
        below: dict[int, FloatArray] = {}
        for inner in range(len(self.columns) - 1, -1, -1):
            left, right = (
                below[child] if child >= 0 else self.leaves[~child]
                for child in (int(self.left[inner]), int(self.right[inner]))
            )
            below[inner] = np.where(asked[inner], left, right)
        return moved, below[0][:-1] - below[0][-1]


def read_trees(text: str) -> Iterator[Tree]:
    """Read the trees that split on something from LightGBM's text of a model.

    Raises
    ------
    ValueError
        When a tree splits on categories, which `EvidenceBoosting` never grows.
    """
    for block in text.split("\nTree=")[1:]:
        lines = dict(line.split("=", 1) for line in block.split("\n\n")[0].splitlines()[1:])
        if int(lines["num_leaves"]) < 2:
            continue
        if np.any(_numbers(lines["decision_type"]).astype(int) & _CATEGORICAL):
            raise ValueError("a tree splits on categories")
        columns, left, right = (
            _numbers(lines[name]).astype(np.intp)
            for name in ("split_feature", "left_child", "right_child")
        )
        yield Tree(
            columns, _numbers(lines["threshold"]), left, right, _numbers(lines["leaf_value"])
        )


def _numbers(text: str) -> FloatArray:
    return np.array(text.split(), dtype=np.float64)
