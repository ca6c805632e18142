"""The files of a bundle as bytes, JSON values and arrays, nothing taken on trust.

Sizes and headers are compared with limits before anything is read, so that no file, however it was
made, takes more memory than the limits say.
"""

from __future__ import annotations

import io
import json
import os
import re
import stat
import zipfile
from collections.abc import Collection
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from nkpredict.errors import BundleError, name_some
from nkpredict.types import AnyArray

SIGNATURE = "bundle.sig"
"""The one file that may lie in a bundle beside those its manifest lists."""

# A bundle of 20,000 genes with every part it can have holds about 10 MB of arrays and, when its
# evidence names every gene for four effectors, 30 MB of JSON.
_MIB = 2**20
_MOST_FILES, _MOST_BYTES, _MOST_IN_ARRAYS = 1_000, 64 * _MIB, 128 * _MIB
_MOST_MEMBERS, _LONGEST_WORD, _MOST_AXES = 1_000, 200, 3
_MOST_VALUES = 1_500_000
# Deeper than any fact is nested; json itself ends in a RecursionError far below.
_DEEPEST = 40
_DTYPES = {"<f8", "<f4", "<i8", "<i4", "<u2", "|u1", "|b1"}
_WORDS = re.compile(r"<U\d{1,3}")
_CHUNK = _MIB


def list_files(folder: Path) -> set[str]:
    """Return the names of the files in a bundle, without opening one.

    Raises
    ------
    BundleError
        When there is anything but plain files, or too many.
    """
    names = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_file(follow_symlinks=False):
                raise BundleError(
                    f"{folder} holds {_short(entry.name)}, which is no plain file (a link or a "
                    "folder); a model bundle is copied as plain files."
                )
            names.add(entry.name)
            if len(names) > _MOST_FILES:
                raise BundleError(f"{folder} holds more than {_MOST_FILES} files; no bundle does.")
    return names


def require_files(folder: Path, found: set[str], listed: Collection[str]) -> None:
    """Refuse a bundle with files that are missing, or that its manifest does not list.

    Raises
    ------
    BundleError
        Also when together they are larger than any bundle.
    """
    missing = sorted(set(listed) - found)
    if missing:
        raise BundleError(
            f"The model bundle {folder} lacks {name_some(missing)}; copy it again as a whole."
        )
    more = sorted(found - set(listed))
    if more:
        raise BundleError(
            f"The model bundle {folder} holds {name_some(more)}, which its bundle.json does not "
            "list; remove what does not belong to it, or copy it again."
        )
    size = sum((folder / name).stat(follow_symlinks=False).st_size for name in listed)
    if size > _MOST_BYTES:
        raise BundleError(
            f"The files of {folder} hold {size // _MIB:,} MiB; a model bundle holds "
            f"{_MOST_BYTES // _MIB} at most."
        )


def read_plain_file(path: Path) -> bytes:
    """Return the content of a file that is no link and not larger than a bundle may be.

    Raises
    ------
    BundleError
        Otherwise.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with open(descriptor, "rb") as stream:
            state = os.fstat(descriptor)
            if stat.S_ISREG(state.st_mode) and state.st_size <= _MOST_BYTES:
                return stream.read(_MOST_BYTES)
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}).") from error
    raise BundleError(f"{path} is no plain file of at most {_MOST_BYTES // _MIB} MiB.")


def json_from(content: bytes, name: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    ValueError
        When it is no strict JSON object, nested too deeply, or holds too many values.
    """
    values = sum(content.count(mark) for mark in (b",", b"[", b"{"))
    if values > _MOST_VALUES:
        raise ValueError(f"{name} holds {values:,} values, expected {_MOST_VALUES:,} at most")
    try:
        found = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError(f"{name} holds no object")
    if _depth(found, _DEEPEST) > _DEEPEST:
        raise ValueError(f"{name} is nested too deeply")
    return found


def arrays_from(content: bytes, name: str) -> dict[str, AnyArray]:
    """Read the arrays of an ``.npz`` file; every header is checked before an array is made.

    Raises
    ------
    ValueError
        When it is no archive of plain arrays of numbers and short words, or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            if len(names) > _MOST_MEMBERS or len(set(names)) < len(names):
                raise ValueError(f"{name} holds too many arrays, or one twice")
            size = sum(member.file_size for member in members)
            if size > _MOST_IN_ARRAYS:
                raise ValueError(
                    f"{name} unpacks to {size / _MIB:,.0f} MiB, expected "
                    f"{_MOST_IN_ARRAYS // _MIB} at most"
                )
            return {
                member.filename.removesuffix(".npy"): _array(archive, member) for member in members
            }
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
        raise ValueError(f"{name} is no readable archive: {error}") from error


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> AnyArray:
    name = member.filename
    if not name.endswith(".npy") or member.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):
        raise ValueError(f"{_short(name)} is no array")
    with archive.open(member) as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError(f"{_short(name)} has another header than NumPy writes")
        shape, turned, dtype = np.lib.format.read_array_header_1_0(stream)
        words = _WORDS.fullmatch(dtype.str) is not None
        if (not words and dtype.str not in _DTYPES) or dtype.itemsize > 4 * _LONGEST_WORD:
            raise ValueError(f"{_short(name)} holds {dtype.str[:20]}, expected numbers")
        if len(shape) > _MOST_AXES or min(shape, default=0) < 0:
            raise ValueError(f"{_short(name)} has the shape {str(shape)[:60]}")
        if prod(shape) * dtype.itemsize != member.file_size - stream.tell():
            raise ValueError(f"{_short(name)} has not the size that its header states")
        values = np.empty(shape, dtype=dtype, order="F" if turned else "C")
        raw = values.reshape(-1, order="A").view(np.uint8)
        _fill(raw, stream, name)
    if words and raw.size and raw.view(np.uint32).max() > 0x10FFFF:
        raise ValueError(f"{_short(name)} holds what is no text")
    if dtype.kind == "b" and raw.size and raw.max() > 1:
        raise ValueError(f"{_short(name)} holds what is neither true nor false")
    return values


def _fill(raw: AnyArray, stream: Any, name: str) -> None:
    place = 0
    while place < raw.size:
        part = stream.read(min(_CHUNK, raw.size - place))
        if not part:
            raise ValueError(f"{_short(name)} is cut off")
        raw[place : place + len(part)] = np.frombuffer(part, dtype=np.uint8)
        place += len(part)
    if stream.read(1):
        raise ValueError(f"{_short(name)} is longer than its header states")


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _depth(value: Any, most: int) -> int:
    """Return how deeply a value is nested, or more than ``most`` as soon as that is clear."""
    level, depth = [value], 0
    while level and depth <= most:
        inside = (
            one.values() if isinstance(one, dict) else one
            for one in level
            if isinstance(one, dict | list)
        )
        level = [item for items in inside for item in items if isinstance(item, dict | list)]
        depth += 1
    return depth


def _short(name: str) -> str:
    return repr(name[:60])
