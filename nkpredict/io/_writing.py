"""Atomic writers: a file is there whole or not at all, and an old result is never lost half-way."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

import numpy as np
import pandas as pd

from nkpredict.errors import FULL_OR_READ_ONLY, InputError

_LONGEST_PREFIX = 100
_LINE_BREAKS = re.compile(r"[\r\n\x0b\x0c\x85\u2028\u2029]+")
# Characters that a spreadsheet passes over at the beginning of a cell, and those after which it
# takes the rest for a formula, in half and full width.
_PASSED_OVER = re.compile(r"\A[\s\x00-\x1f\u200b-\u200f\u2060\ufeff]+")
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


@contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``target`` that takes its place when the block succeeds.

    Parameters
    ----------
    target
        File to write; what a link leads to is written. Its folder is made when missing.

    Yields
    ------
    Path
        Where to write; removed again when the block raises.

    Raises
    ------
    InputError
        When the disk is full, or nothing may be written there; the old file is then as it was.
    """
    target = Path(os.path.realpath(target))
    with _failures_told(target):
        with _failures_told(target, all_of_them=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(
                dir=target.parent, prefix=f".{target.name[:_LONGEST_PREFIX]}.", suffix=target.suffix
            )
            os.close(handle)
            temporary = Path(name)
            temporary.chmod(0o666 & ~_umask())
        try:
            yield temporary
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def atomic_folder(target: str | Path) -> Iterator[Path]:
    """Yield a temporary folder that replaces ``target`` when the block succeeds.

    Parameters
    ----------
    target
        Folder to write; when it exists already it is replaced as a whole. What a link leads to is
        replaced, and the link stays. Of several writers the last one's result is there whole.

    Yields
    ------
    Path
        Where to write; removed again when the block raises.

    Raises
    ------
    InputError
        When the disk is full, or nothing may be written there; the old folder is then as it was.
    """
    target = Path(os.path.realpath(target))
    with _failures_told(target):
        name = target.name[:_LONGEST_PREFIX]
        with _failures_told(target, all_of_them=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{name}."))
            temporary.chmod(0o777 & ~_umask())
        try:
            yield temporary
            with _locked(target.parent):
                _put_in_place(temporary, target, f".{name}.old.")
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _put_in_place(temporary: Path, target: Path, prefix: str) -> None:
    """Let a folder take the place of another; called by one process at a time."""
    left_behind = [path for path in target.parent.glob(f"{glob.escape(prefix)}*") if path.is_dir()]
    if not os.path.lexists(target):
        temporary.replace(target)
    else:
        aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=prefix))
        left_behind.append(aside)
        target.replace(aside / target.name)
        try:
            temporary.replace(target)
        except BaseException:
            (aside / target.name).replace(target)
            aside.rmdir()
            raise
    # also of a process that was killed between the two moves
    for folder in left_behind:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time into the block, by a lock on the folder itself."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems know no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _failures_told(target: Path, *, all_of_them: bool = False) -> Iterator[None]:
    """Turn errors of the place that is written to into a sentence; others pass as they are."""
    try:
        yield
    except OSError as error:
        beside = str(error.filename or "").startswith(str(target.parent))
        refused = error.errno in (errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ENAMETOOLONG)
        if all_of_them or error.errno in FULL_OR_READ_ONLY or (refused and beside):
            raise InputError(
                f"{target} cannot be written ({error.strerror}); what was there before is as it "
                "was. Make room or name a place where you may write."
            ) from error
        raise


def write_text(target: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(target) as path:
        path.write_text(text, encoding="utf-8")


def write_json(target: str | Path, content: Any) -> None:
    """Write JSON atomically, with sorted keys; NumPy numbers are written as plain ones."""
    write_text(target, to_json(content))


def to_json(content: Any) -> str:
    """Return JSON text with sorted keys; NaN becomes ``null``."""
    return json.dumps(_plain(content), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_csv(target: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV atomically; text that a spreadsheet would run as a formula is quoted.

    A cell or label that begins with ``=``, ``+``, ``-`` or ``@``, in full width or behind blanks,
    gets a leading apostrophe unless it is a number, and line breaks become blanks, as OWASP advises
    against CSV injection.
    """
    safe = table.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            safe[column] = safe[column].map(_defused, na_action="ignore")
    if not pd.api.types.is_numeric_dtype(safe.index):
        safe.index = safe.index.map(_defused)
    safe.columns = safe.columns.map(_defused)
    with atomic_path(target) as path:
        safe.to_csv(path, float_format="%.6g", lineterminator="\n")


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def require_file(path: str | Path, what: str) -> Path:
    """Return the path of an existing, non-empty file.

    Parameters
    ----------
    path
        File named by the user.
    what
        What the file should hold, for the message.

    Raises
    ------
    InputError
        When there is no such file, it is a folder, or it is empty.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"There is no file {path}; expected the {what}. Check the path.")
    if path.is_dir() and path.suffix != ".zarr":
        raise InputError(f"{path} is a folder; expected a file with the {what}.")
    if path.is_file() and path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes); expected the {what}. Export it again.")
    return path


def _defused(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = _LINE_BREAKS.sub(" ", value)
    if not _PASSED_OVER.sub("", text).startswith(_FORMULA) and not text.startswith("\t"):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_plain(item) for item in items]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
