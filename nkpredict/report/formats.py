"""How numbers and names are written for people."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, TypeGuard

NO_VALUE = "–"
# Control characters, halves of surrogate pairs and non-characters: not allowed in an HTML file.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(value: object) -> str:
    """Return text that any HTML file may hold; characters it may not hold become �."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))


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
    if 0 < share < 0.005:
        return "< 1 %"
    return f"{share:.0%}".replace("%", " %")


def interval(lower: Any, upper: Any) -> str:
    """Write an interval."""
    return f"{decimal(lower)} to {decimal(upper)}"


def count(number: int, noun: str) -> str:
    """Write a number and its noun, plural where due."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


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
