"""Read delimited text as labs export it: title lines, further headers, decimal commas."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.io._tables import MALFORMED, MISSING
from nkpredict.io.expression._entrez import called_entrez
from nkpredict.io.expression._numbers import COMMA_NUMBER, table_of_text
from nkpredict.io.expression._raw import RawTable
from nkpredict.io.expression._text import head_of


class _HeadLines(NamedTuple):
    most: int
    fewest: int
    characters: int


HEAD_LINES = _HeadLines(most=80, fewest=12, characters=1_000_000)
"""Lines that are looked at; of wide tables fewer, up to so many characters."""
_SEPARATORS = "\t,;"
# The csv module takes longer fields for a mistake; a header read with a wrong separator is one.
csv.field_size_limit(2**31 - 1)
_GCT = re.compile(r"^#1\.[23]\s*$")


@dataclass(frozen=True)
class Outline:
    """Where the table lies in the text."""

    separator: str
    header: list[str]
    first_row: int
    body: list[list[str]]
    skipped: int
    more_headers: int | None = None


class TextOutline(NamedTuple):
    """What a text is, and what is said of it.

    Attributes
    ----------
    outline
        Where the table lies.
    comma
        Whether its numbers have a decimal comma.
    numeric
        Which columns look like numbers.
    what, notes
        See `RawTable`.
    """

    outline: Outline
    comma: bool
    numeric: list[bool]
    what: str
    notes: tuple[str, ...]


def read_delimited(text: bytes, encoding: str, path: Path) -> RawTable:
    """Read delimited text.

    Parameters
    ----------
    text
        UTF-8.
    encoding
        Encoding that the file had, for the notes.
    path
        The file, for messages and the name of a single sample.

    Raises
    ------
    InputError
        When it is no table, cut off, or holds text among numbers.
    """
    found = read_outline(head_of(text, HEAD_LINES.most), path, encoding)
    reject_cut_off(text, found.outline, path)
    frame = _parsed(text, found, path)
    return table_of_text(
        [label.strip() for label in found.outline.header],
        frame.set_axis(range(len(found.outline.header)), axis=1),
        what=found.what,
        path=path,
        comma=found.comma,
        more_headers=found.outline.more_headers,
        notes=found.notes,
    )


def read_outline(lines: list[str], path: Path, encoding: str = "UTF-8") -> TextOutline:
    """Tell from the first lines what a text is.

    Parameters
    ----------
    lines
        Of the text.
    path
        The file, for messages.
    encoding
        Encoding that the file had, for the notes.

    Raises
    ------
    InputError
        When it is no table, or its commas may mean two things.
    """
    lines = _short(lines)
    gct = bool(lines) and _GCT.match(lines[0]) is not None
    outline = _outline_of_gct(lines, path) if gct else _outline(lines, path)
    comma = _has_decimal_comma(outline, path)
    notes = []
    if encoding != "UTF-8":
        notes.append(f"The text was read as {encoding}.")
    if outline.skipped:
        notes.append(f"{outline.skipped} lines above the header were passed over.")
    if comma:
        notes.append("Numbers were read with a decimal comma.")
    numeric = [
        position > 0
        and not called_entrez(label)
        and all(_is_number(row[position], comma) for row in outline.body if position < len(row))
        for position, label in enumerate(outline.header)
    ]
    what = f"GCT {lines[0].strip()[1:]}" if gct else "delimited text"
    return TextOutline(outline, comma, numeric, what, tuple(notes))


def _short(lines: list[str]) -> list[str]:
    length, kept = 0, 0
    for line in lines:
        length += len(line)
        if kept >= HEAD_LINES.fewest and length > HEAD_LINES.characters:
            break
        kept += 1
    return lines[:kept]


def _fields(line: str, separator: str) -> list[str]:
    if separator == " ":
        return next(csv.reader([line.strip()], delimiter=" ", skipinitialspace=True), [])
    if separator not in line:
        return [line]
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:  # an odd control character among the cells
        return line.split(separator)


def _separator(lines: Sequence[str], path: Path) -> str:
    """Choose the separator that gives most lines the same number of fields, and many."""
    best, most = "", 0.0
    for separator in (*_SEPARATORS, " "):
        widths = Counter(len(_fields(line, separator)) for line in lines)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        # a header that lacks its corner is one shorter, and that is no disagreement
        agreeing = (count + widths.get(width - 1, 0)) / len(lines)
        # blanks are the last resort: they stand inside names too
        rank = agreeing + min(width, 50) / 1000 - (0.5 if separator == " " else 0)
        if width > 1 and rank > most:
            best, most = separator, rank
    if not best:
        raise InputError(
            f"{path} has one column only (first line: {lines[0][:60]!r}); expected a table "
            "separated by commas, tabs or semicolons."
        )
    return best


def _outline(lines: list[str], path: Path) -> Outline:
    kept = [
        (number, line)
        for number, line in enumerate(lines)
        if line.strip() and not line.startswith("!")
    ]
    while len(kept) > 1 and kept[0][1].startswith(("#", "%")):
        mark, below = kept[0][1], kept[1][1]
        as_wide = any(
            mark.count(s) > 0 and mark.count(s) in (below.count(s), below.count(s) - 1)
            for s in _SEPARATORS
        )
        if as_wide and not below.startswith("#"):
            kept[0] = (kept[0][0], mark.lstrip("#% "))
            break
        kept = kept[1:]
    if not kept:
        raise InputError(f"{path} holds no table; expected a header and rows of numbers.")
    separator = _separator([line for _, line in kept], path)
    rows = [(number, _fields(line, separator)) for number, line in kept]
    width = max(Counter(len(row) for _, row in rows).items(), key=lambda item: (item[1], item[0]))[
        0
    ]
    width = max(width, len(rows[-1][1]))
    header = next(
        (
            position
            for position, (_, row) in enumerate(rows)
            if sum(bool(cell.strip()) for cell in row) * 2 >= min(width, len(row) + 1)
            and len(row) >= width - 1
        ),
        0,
    )
    labels = rows[header][1]
    body = [row for _, row in rows[header + 1 :]]
    if body and max(len(row) for row in body) == len(labels) + 1 and labels[-1].strip():
        # R's write.table leaves out the label above the row names
        labels = ["", *labels]
    first_row = rows[header][0] + 1
    return Outline(separator, labels, first_row, body, header)


def _outline_of_gct(lines: list[str], path: Path) -> Outline:
    """Read the outline that a GCT file states (Broad Institute, versions 1.2 and 1.3)."""
    sizes = lines[1].split() if len(lines) > 1 else []
    if len(lines) < 4 or not all(size.isdigit() for size in sizes) or len(sizes) not in (2, 4):
        raise InputError(
            f"{path} begins like a GCT file but does not state its numbers of rows and columns in "
            "the second line; export it again."
        )
    more = int(sizes[3]) if len(sizes) == 4 else 0
    body = [_fields(line, "\t") for line in lines[3 + more :] if line.strip()]
    return Outline("\t", _fields(lines[2], "\t"), 3, body, 0, more)


def reject_cut_off(text: bytes, outline: Outline, path: Path) -> None:
    """Refuse text, or the end of it, whose last line is shorter than all others."""
    last = text.rstrip(b"\n").rpartition(b"\n")[2].decode("utf-8", errors="replace")
    if last.startswith("!") or not outline.body or '"' in last:
        return
    count, width = len(_fields(last, outline.separator)), len(outline.header)
    whole = sum(len(row) >= width for row in outline.body[:-1])
    if count < width and 0 < len(outline.body) - 1 == whole:
        raise InputError(
            f"{path} is cut off: its last line has {count} of {width} columns. Copy or export it "
            "again."
        )


def _has_decimal_comma(outline: Outline, path: Path) -> bool:
    """Tell decimal commas from commas between thousands; refuse what may be either."""
    cells = [cell.strip() for row in outline.body for cell in row[1:]]
    with_comma = [cell for cell in cells if COMMA_NUMBER.match(cell)]
    if not with_comma:
        return False
    plain = [cell for cell in cells if re.fullmatch(r"[+-]?\d+\.\d+(?:[eE][+-]?\d+)?", cell)]
    if len(plain) > len(with_comma):
        return False
    groups = [re.fullmatch(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+", cell) for cell in with_comma]
    if not all(groups):
        return True
    raise InputError(
        f"{path} has commas inside its numbers (such as {with_comma[0]!r}) that may divide "
        "thousands or stand for the decimal point. Export it without separators of thousands and "
        "with a decimal point."
    )


def parsing_options(outline: Outline) -> dict[str, Any]:
    """Return what pandas is told of the text, but for the types of the columns."""
    return {
        "sep": r"\s+" if outline.separator == " " else outline.separator,
        "header": None,
        "names": list(range(len(outline.header))),
        "keep_default_na": False,
        "na_values": MISSING,
        "encoding": "utf-8",
        "comment": None,
        "skip_blank_lines": True,
    }


def _parsed(text: bytes, found: TextOutline, path: Path) -> pd.DataFrame:
    """Parse as numbers where the first rows look like them, as text where that fails."""
    outline, comma, numeric = found.outline, found.comma, found.numeric
    body = io.BytesIO(_from_line(text, outline.first_row))
    options = parsing_options(outline)
    quoted_commas = comma and outline.separator == ","
    try:
        if any(numeric) and not quoted_commas:
            types = {p: np.float32 if number else str for p, number in enumerate(numeric)}
            decimal = "," if comma else "."
            try:
                return sound_frame(pd.read_csv(body, dtype=types, decimal=decimal, **options), path)
            except ValueError as error:
                if isinstance(error, MALFORMED):
                    raise
                body.seek(0)
        return sound_frame(pd.read_csv(body, dtype=str, **options), path)
    except MALFORMED as error:
        raise InputError(
            f"{path} is not a well-formed table ({str(error).strip()}); expected expression "
            "values under one header."
        ) from error


def sound_frame(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return a parsed table, or refuse one with rows that are longer than its header."""
    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(
            f"{path} has rows with more columns than its header names; expected as many."
        )
    return frame


def _from_line(text: bytes, number: int) -> bytes:
    start = 0
    for _ in range(number):
        start = text.find(b"\n", start) + 1
        if start == 0:
            return b""
    return text[start:]


def _is_number(cell: str, comma: bool) -> bool:
    cell = cell.strip()
    if cell in MISSING:
        return True
    try:
        float(cell.replace(",", ".") if comma else cell)
    except ValueError:
        return False
    return True
