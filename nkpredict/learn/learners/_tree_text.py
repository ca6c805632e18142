"""LightGBM's text of a model, checked to the last character before the library reads it.

The library trusts what it reads: a child that points beyond the tree, or a size that does not fit,
ends the process. So every line must be one that LightGBM writes, and every tree must be one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from nkpredict.types import FloatArray, IndexArray

MOST_LEAVES, DEEPEST = 131_072, 1_000
"""Leaves of a tree, which is LightGBM's own limit, and nodes from its root to a leaf."""

_INTEGERS = re.compile(r"-?\d{1,10}(?: -?\d{1,10})*")
_REALS = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?(?: -?\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?)*")
_RANGE = re.compile(r"none|\[(-?[0-9.e+-]+|-?inf):(-?[0-9.e+-]+|-?inf)\]")
_HEAD = ("version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0")
_IMPORTANCE = re.compile(r"Column_\d{1,6}=\d{1,10}")
# Of the parameters of the training LightGBM heeds linear_tree when it reads, wherever it stands.
_PARAMETER = re.compile(
    r"\[linear_tree: 0\]|(?!.*linear_tree)\[[a-z0-9_]+: [\x20-\x5a\x5e-\x7e]*\]"
)
_NUMBER_FIELDS = {
    "split_feature": "inner",
    "split_gain": "inner",
    "threshold": "inner",
    "decision_type": "inner",
    "left_child": "inner",
    "right_child": "inner",
    "leaf_value": "leaves",
    "leaf_weight": "leaves",
    "leaf_count": "leaves",
    "internal_value": "inner",
    "internal_weight": "inner",
    "internal_count": "inner",
}
_WHOLE = {
    "split_feature",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_count",
    "internal_count",
}
_NUMERICAL_SPLIT = 2  # no categories; nothing was missing in training


def check_tree_text(text: str, columns: int, most_trees: int) -> None:
    """Check a model in LightGBM's text format.

    Parameters
    ----------
    text
        As LightGBM 4 writes a regression on numbers without missing values.
    columns
        Number of columns it must split on.
    most_trees
        Trees it may hold; training ends early when nothing is left to split.

    Raises
    ------
    ValueError
        When anything else stands in it: another line, a size that is not that of its tree, children
        that form no tree, columns that are not there, numbers that are not finite.
    """
    if not text.isascii():
        raise ValueError("trees: not plain ASCII")
    head, _, rest = text.partition("\n\n")
    sizes = _checked_head(head.split("\n"), columns)
    if not 1 <= len(sizes) <= most_trees:
        raise ValueError(f"trees: {len(sizes)} trees, expected 1 to {most_trees}")
    place = 0
    for number, size in enumerate(sizes):
        _check_tree(rest[place : place + size], number, columns)
        place += size
    _check_tail(rest[place:].split("\n"))


def _checked_head(lines: list[str], columns: int) -> list[int]:
    """Return the stated sizes of the trees."""
    given = iter(lines)
    expected = [
        "tree",
        *_HEAD,
        f"max_feature_idx={columns - 1}",
        "objective=regression",
        "feature_names=" + " ".join(f"Column_{number}" for number in range(columns)),
    ]
    for line in expected:
        if next(given, None) != line:
            raise ValueError(f"trees: the line {line[:40]!r} was expected in the head")
    left = dict(line.partition("=")[::2] for line in given)
    directions = left.pop("monotone_constraints", None)
    if directions is not None:
        found = _integers(directions, "monotone_constraints", columns)
        if np.abs(found).max(initial=0) > 1:
            raise ValueError("trees: monotone_constraints are not -1, 0 or 1")
    ranges = left.pop("feature_infos", "").split(" ")
    if len(ranges) != columns or not all(_RANGE.fullmatch(one) for one in ranges):
        raise ValueError("trees: feature_infos are not one range a column")
    sizes = left.pop("tree_sizes", "")
    if left:
        raise ValueError(f"trees: unknown lines in the head ({', '.join(left)[:60]})")
    if not _INTEGERS.fullmatch(sizes):
        raise ValueError("trees: tree_sizes are not whole numbers")
    return [int(size) for size in sizes.split(" ")]


def _check_tree(block: str, number: int, columns: int) -> None:
    lines = block.split("\n")
    if lines[0] != f"Tree={number}" or lines[-3:] != ["", "", ""]:
        raise ValueError(f"trees: tree_sizes do not fit tree {number}")
    fields = [line.partition("=") for line in lines[1:-3]]
    names = ["num_leaves", "num_cat", *_NUMBER_FIELDS, "is_linear", "shrinkage"]
    if [name for name, _, _ in fields] != names:
        raise ValueError(f"trees: tree {number} has other lines than LightGBM writes")
    stated = {name: text for name, _, text in fields}
    leaves = int(_integers(stated["num_leaves"], "num_leaves", 1)[0])
    if not 1 <= leaves <= MOST_LEAVES or stated["num_cat"] != "0" or stated["is_linear"] != "0":
        raise ValueError(f"trees: tree {number} has {leaves} leaves, categories or linear leaves")
    _reals(stated["shrinkage"], "shrinkage", 1)
    counts = {"inner": leaves - 1, "leaves": leaves}
    numbers = {
        name: (_integers if name in _WHOLE else _reals)(stated[name], name, counts[axis])
        for name, axis in _NUMBER_FIELDS.items()
    }
    if leaves == 1:
        return
    features = numbers["split_feature"]
    if features.min() < 0 or features.max() >= columns:
        raise ValueError(f"trees: tree {number} splits on columns that are not there")
    if (numbers["decision_type"] != _NUMERICAL_SPLIT).any():
        raise ValueError(f"trees: tree {number} splits otherwise than at a threshold")
    if min(numbers["leaf_count"].min(), numbers["internal_count"].min()) < 1:
        raise ValueError(f"trees: tree {number} has nodes without samples")
    _check_children(
        numbers["left_child"].astype(np.intp), numbers["right_child"].astype(np.intp), number
    )


def _check_children(left: IndexArray, right: IndexArray, number: int) -> None:
    """Children must be further down, each node and each leaf the child of exactly one node."""
    inner = len(left)
    children = np.concatenate([left, right])
    # leaves count down from -1, and no node leads back to the root
    all_but_root = np.concatenate([np.arange(-inner - 1, 0), np.arange(1, inner)])
    once = np.array_equal(np.sort(children), all_but_root)
    parents = np.tile(np.arange(inner), 2)
    if not once or (children[children >= 0] <= parents[children >= 0]).any():
        raise ValueError(f"trees: the children of tree {number} form no tree")
    depth = np.ones(inner, dtype=np.intp)
    for node in range(inner):
        for child in (left[node], right[node]):
            if child >= 0:
                depth[child] = depth[node] + 1
    if depth.max() > DEEPEST:
        raise ValueError(f"trees: tree {number} is more than {DEEPEST} nodes deep")


def _check_tail(lines: list[str]) -> None:
    given = iter(lines)
    expected: Iterator[tuple[str, re.Pattern[str] | None]] = iter(
        (
            ("end of trees", None),
            ("", None),
            ("feature_importances:", _IMPORTANCE),
            ("parameters:", _PARAMETER),
            ("end of parameters", None),
            ("", None),
            ("pandas_categorical:null", None),
            ("", None),
        )
    )
    for title, entries in expected:
        if next(given, None) != title:
            raise ValueError(f"trees: the line {title!r} was expected at the end")
        if entries is not None:
            _pass_entries(given, entries)
    if next(given, None) is not None:
        raise ValueError("trees: more stands behind the end")


def _pass_entries(given: Iterator[str], entry: re.Pattern[str]) -> None:
    """Pass over the entries of a section and the blank line that ends it."""
    for line in given:
        if not line:
            return
        if not entry.fullmatch(line):
            raise ValueError(f"trees: the line {line[:40]!r} is none that LightGBM writes")


def _integers(text: str, name: str, count: int) -> IndexArray:
    return _numbers(text, name, count, _INTEGERS).astype(np.int64)


def _reals(text: str, name: str, count: int) -> FloatArray:
    return _numbers(text, name, count, _REALS)


def _numbers(text: str, name: str, count: int, form: re.Pattern[str]) -> FloatArray:
    tokens: Sequence[str] = text.split(" ") if text else ()
    if len(tokens) != count or (text and not form.fullmatch(text)):
        raise ValueError(f"trees: {name} is no list of {count} numbers")
    found = np.array(tokens, dtype=np.float64)
    if not np.isfinite(found).all():
        raise ValueError(f"trees: {name} is not finite")
    return found
