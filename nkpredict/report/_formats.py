"""How numbers and names are written for people."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeGuard

NO_VALUE = "–"


def decimal(value: Any, places: int = 3) -> str:
    """Write a number with a true minus sign; ∞ for infinity and a dash for no value."""
    if not is_number(value):
        return NO_VALUE
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.{places}f}"
    return text.lstrip("-") if not text.strip("-0.,") else text.replace("-", "−")


def signed(value: Any, places: int = 3) -> str:
    """Write a number with its sign, plus included."""
    text = decimal(value, places)
    return f"+{text}" if is_number(value) and text.strip("0.,") and value > 0 else text


def percent(share: Any) -> str:
    """Write a share of 0 to 1 in per cent; only exactly all is 100 % and exactly none 0 %."""
    if not is_number(share):
        return NO_VALUE
    if 0.995 <= share < 1:
        return "> 99 %"
    if 0 < share <= 0.005:
        return "< 1 %"
    return f"{share:.0%}".replace("%", " %")


def interval(lower: Any, upper: Any) -> str:
    """Write an interval; a dash where it is not known."""
    if not (is_number(lower) and is_number(upper)):
        return NO_VALUE
    return f"{decimal(lower)} to {decimal(upper)}"


def count(number: int, noun: str) -> str:
    """Write a number and its noun, plural where due."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def plain(value: Any) -> str:
    """Write a number for machines: to sort by and to download; empty for no value."""
    if not is_number(value):
        return ""
    return f"{float(value):.6g}".replace("inf", "Infinity")


def places_for(values: Iterable[float]) -> int:
    """Return the decimal places that show the largest of some values with three digits, 3 to 6."""
    largest = max((abs(value) for value in values if is_number(value)), default=0.0)
    if largest == 0 or math.isinf(largest):
        return 3
    return min(max(2 - math.floor(math.log10(largest)), 3), 6)


def joined(words: Iterable[str]) -> str:
    """Join words as in a sentence: ``"A, B and C"``."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number other than NaN."""
    try:
        return not math.isnan(value)
    except TypeError:
        return False
