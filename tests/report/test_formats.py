"""How numbers and names are written for people."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkpredict.report._formats import (
    NO_VALUE,
    count,
    decimal,
    interval,
    joined,
    percent,
    places_for,
    plain,
    signed,
)

NOTHING = pytest.mark.parametrize("value", [None, float("nan"), "text"])


@NOTHING
def test_no_value_is_a_dash_for_people_and_empty_for_machines(value: object) -> None:
    assert decimal(value) == signed(value) == percent(value) == NO_VALUE
    assert plain(value) == ""


@pytest.mark.parametrize(
    ("value", "written", "with_sign"),
    [
        (0.5, "0.500", "+0.500"),
        (-0.5, "−0.500", "−0.500"),
        (-0.0001, "0.000", "0.000"),
        (0.0001, "0.000", "0.000"),
        (12345.6, "12,345.600", "+12,345.600"),
        (math.inf, "∞", "+∞"),
        (-math.inf, "−∞", "−∞"),
    ],
)
def test_numbers(value: float, written: str, with_sign: str) -> None:
    assert decimal(value) == written
    assert signed(value) == with_sign


@given(st.floats(0, 1))
def test_only_all_is_all_and_only_none_is_none(share: float) -> None:
    assert (percent(share) == "100 %") == (share == 1)
    assert (percent(share) == "0 %") == (share == 0)


@given(st.floats(allow_nan=False))
def test_machines_read_what_was_written(value: float) -> None:
    read = float(plain(value).replace("Infinity", "inf"))
    assert read == pytest.approx(value, rel=1e-5)


@given(st.lists(st.floats(-1e4, 1e4), max_size=5))
def test_places_show_three_digits_of_the_largest(values: list[float]) -> None:
    places = places_for(values)
    assert 3 <= places <= 6
    largest = max(map(abs, values), default=0)
    if largest > 1e-4:
        assert round(largest, places) == pytest.approx(largest, rel=0.006)


def test_words() -> None:
    assert interval(-0.1, math.inf) == "−0.100 to ∞"
    assert count(1, "gene") == "1 gene"
    assert count(1200, "gene") == "1,200 genes"
    assert joined(["A"]) == "A"
    assert joined(["A", "B", "C"]) == "A, B and C"
