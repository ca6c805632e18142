"""Large delimited text: read once from top to bottom, its numbers written aside as they come."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.io.expression._arrange import gene_share
from nkpredict.io.expression._delimited import (
    HEAD_LINES,
    TextOutline,
    parsing_options,
    read_outline,
    reject_cut_off,
    sound_frame,
)
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression._text import is_plain_text
from nkpredict.io.expression.large._matrix import (
    LARGE,
    LargeMatrix,
    NotPlainError,
    large_table,
    require_plain,
    require_words,
)
from nkpredict.io.expression.large._scratch import Scratch

_LOOKED_AT = 65536
_VALUES_AT_ONCE = 4_000_000  # set by hand
_LONGEST_LINE = 1 << 26
_COMPRESSED: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
_USUAL_COMPRESSION = 4  # to guess the number of rows; set by hand
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_UNREADABLE = (ValueError, EOFError, OSError, zlib.error, lzma.LZMAError)


def large_text(path: Path, options: ReadingOptions) -> LargeMatrix:
    """Open delimited text with many rows or columns.

    Parameters
    ----------
    path
        Plain, or compressed by gzip, bzip2 or xz.
    options
        What is known about it.

    Raises
    ------
    NotPlainError
        When it holds fewer samples, text among numbers, decimal commas, another encoding than
        UTF-8, or anything else that is unusual.
    InputError
        When it is cut off, or there is no room on disk.
    """
    try:
        head = text_head(path, options)
        if head.samples <= LARGE or head.found.outline.more_headers:
            raise NotPlainError
        text = [place for place, number in enumerate(head.found.numeric) if not number]
        require_plain(head.labels, text)
        scratch, words = _written(path, head.found, text)
    except InputError:
        raise
    except _UNREADABLE as error:
        # what reads the file as a whole says what is wrong with it
        raise NotPlainError from error
    require_words(words)
    found = head.found
    return large_table(
        head.labels, words, scratch, options, str(path), what=found.what, notes=found.notes
    )


class TextHead(NamedTuple):
    """What the first lines of a table say.

    Attributes
    ----------
    found
        Where the table lies.
    labels
        Its header.
    genes_in_rows
        Whether more names of genes are in the first column than in the header.
    samples
        Their number; a guess from the size of the file where they are in rows.
    """

    found: TextOutline
    labels: list[str]
    genes_in_rows: bool
    samples: float


def text_head(path: Path, options: ReadingOptions) -> TextHead:
    """Look at the first lines of a table.

    Parameters
    ----------
    path
        Plain, or compressed by gzip, bzip2 or xz.
    options
        What is known about it.

    Raises
    ------
    NotPlainError
        When it is not in UTF-8, or damaged, or has decimal commas.
    InputError
        When it is no table.
    """
    try:
        with _opened(path) as stream:
            lines = _head(stream)
    except _UNREADABLE as error:
        raise NotPlainError from error
    found = read_outline(lines, path)
    if found.comma:
        raise NotPlainError
    labels = [label.strip() for label in found.outline.header]
    names = [row[0] for row in found.outline.body if row]
    in_rows = gene_share(names, options.known) > gene_share(labels[1:], options.known)
    if options.orientation != "auto":
        in_rows = options.orientation == "genes-by-samples"
    if in_rows:
        return TextHead(found, labels, True, len(labels) - 1)
    length = sum(map(len, lines)) / max(len(lines), 1) + 1
    with path.open("rb") as plain:
        start = plain.read(6)
    folded = any(start.startswith(magic) for magic in _COMPRESSED)
    samples = path.stat().st_size / length * (_USUAL_COMPRESSION if folded else 1)
    return TextHead(found, labels, False, samples)


def text_part(path: Path, found: TextOutline, **options: Any) -> pd.DataFrame:
    """Parse some rows or columns of a table, named by position.

    Parameters
    ----------
    path
        The file.
    found
        Where the table lies in it.
    **options
        ``nrows`` or ``usecols`` of pandas.

    Raises
    ------
    NotPlainError
        When there is text among the numbers.
    """
    try:
        with _opened(path) as stream:
            part: pd.DataFrame = pd.read_csv(_below(stream, found), **_typed(found), **options)
            return part
    except _UNREADABLE as error:
        raise NotPlainError from error


def text_lines(path: Path, found: TextOutline) -> int:
    """Count the lines of a table below its header."""
    lines, end = 0, b""
    with _opened(path) as stream:
        while part := stream.read(1 << 20):
            lines, end = lines + part.count(b"\n"), part
    return lines - found.outline.first_row + (not end.endswith(b"\n"))


def _below(stream: IO[bytes], found: TextOutline) -> IO[bytes]:
    for _ in range(found.outline.first_row):
        stream.readline(_LONGEST_LINE)
    return stream


def _typed(found: TextOutline) -> dict[str, Any]:
    types = {p: np.float32 if number else str for p, number in enumerate(found.numeric)}
    return {"dtype": types, **parsing_options(found.outline)}


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as plain:
        start = plain.read(6)
    opener = next((way for magic, way in _COMPRESSED.items() if start.startswith(magic)), None)
    stream = cast(IO[bytes], opener(path) if opener else path.open("rb"))
    with stream:
        yield stream


def _head(stream: IO[bytes]) -> list[str]:
    """Return the lines that tell what the table looks like."""
    start = stream.read(_LOOKED_AT)
    if not is_plain_text(start):
        raise NotPlainError
    rest = io.BytesIO(start.removeprefix(b"\xef\xbb\xbf"))
    lines: list[str] = []
    length = 0
    for _ in range(HEAD_LINES.most):
        line = rest.readline()
        if not line.endswith(b"\n"):
            line += stream.readline(_LONGEST_LINE)
        if not line:
            break
        if _LONE_RETURN.search(line):
            raise NotPlainError
        lines.append(line.decode("utf-8").rstrip("\r\n"))
        length += len(lines[-1])
        if len(lines) > HEAD_LINES.fewest and length > HEAD_LINES.characters:
            break
    return lines


def _written(path: Path, found: TextOutline, text: list[int]) -> tuple[Scratch, pd.DataFrame]:
    """Write the numbers aside; return them and the columns of text."""
    numbers = [place for place, number in enumerate(found.numeric) if number]
    scratch, words = Scratch(len(numbers)), []
    longest = max(len(",".join(row)) for row in (found.outline.header, *found.outline.body))
    with _opened(path) as stream:
        body = _Remembering(stream, 4 * longest + _LOOKED_AT)
        reader = _below(io.BufferedReader(body, 1 << 20), found)
        rows = max(16, _VALUES_AT_ONCE // len(found.numeric))
        for part in pd.read_csv(reader, chunksize=rows, **_typed(found)):
            frame = sound_frame(part, path)
            scratch.append(frame[numbers].to_numpy(np.float32))
            words.append(frame[text].astype(object))
    if not words or b"\n" not in body.end.rstrip(b"\n"):
        raise NotPlainError
    reject_cut_off(body.end.replace(b"\r\n", b"\n"), found.outline, path)
    table = pd.concat(words, ignore_index=True)
    return scratch, table.where(table.notna(), None)


class _Remembering(io.RawIOBase):
    """A stream that keeps the end of what was read."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._most = stream, most
        self._parts: deque[bytes] = deque()
        self._kept = 0

    @property
    def end(self) -> bytes:
        """The last bytes that were read."""
        return b"".join(self._parts)

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read on."""
        part = self._stream.read(len(buffer))
        buffer[: len(part)] = part
        self._parts.append(part)
        self._kept += len(part)
        while self._kept - len(self._parts[0]) >= self._most:
            self._kept -= len(self._parts.popleft())
        return len(part)
