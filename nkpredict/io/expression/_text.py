"""Text of any encoding and compression as UTF-8, and files that are no text told by name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from itertools import islice
from pathlib import Path, PurePosixPath

from nkpredict.errors import InputError, name_some

_DAMAGED = (
    EOFError,
    OSError,
    ValueError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    RuntimeError,
)
# First bytes of what labs have beside tables, and what to do with it.
_NO_TABLES = {
    b"%PDF": ("a PDF document", "Ask for the table behind it"),
    b"BAM\x01": ("aligned reads", "Count them for each gene first"),
    b"CRAM": ("aligned reads", "Count them for each gene first"),
    b"[CEL]": ("a raw microarray", "Normalise it first (RMA)"),
    b"RDX": ("an R workspace", "Write the matrix from R with write.csv"),
    b"X\n\x00\x00\x00": ("an R object", "Write the matrix from R with write.csv"),
    b"<!DOC": ("a web page", "Fetch the file itself"),
    b"<html": ("a web page", "Fetch the file itself"),
}
# Text holds hardly any control characters besides tab, newline and carriage return.
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 27}) + b"\x7f"
_LOOKED_AT = 65536


def is_workbook(path: Path) -> bool:
    """Tell whether a file is a workbook of Excel (.xlsx, .xls) or OpenDocument (.ods)."""
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic == b"\xd0\xcf\x11\xe0":
        return True
    if magic != b"PK\x03\x04":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except _DAMAGED:
        return path.suffix.lower() in (".xlsx", ".xlsm", ".ods")
    return any(name.startswith("xl/") or name == "content.xml" for name in names)


def read_utf8(path: Path) -> tuple[bytes, str]:
    """Return the text of a file as UTF-8 with plain line ends, and the encoding it had.

    Parameters
    ----------
    path
        Plain, or compressed by gzip, bzip2, xz or ZIP (one file inside).

    Raises
    ------
    InputError
        When it is damaged, no text, or an archive of several files.
    """
    try:
        content = _decompressed(path)
    except InputError:
        raise
    except _DAMAGED as error:
        raise InputError(
            f"{path} is not a readable archive ({error}); it may be truncated. Copy it again."
        ) from error
    for magic, (what, mend) in _NO_TABLES.items():
        if content.startswith(magic):
            raise InputError(f"{path} is {what}; expected a table of expression values. {mend}.")
    text, encoding = _decoded(content, path)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text, encoding


def is_plain_text(start: bytes) -> bool:
    """Tell whether the first bytes of a file are text as it stands, in ASCII or UTF-8."""
    marked = start.startswith((b"\xff\xfe", b"\xfe\xff", b"PK\x03\x04", *_NO_TABLES))
    return not marked and len(start.translate(None, _CONTROL)) == len(start)


def head_of(text: bytes, count: int) -> list[str]:
    """Return the first lines of UTF-8 text, without their line ends."""
    lines = islice(io.BytesIO(text), count)
    return [line.decode("utf-8", errors="replace").rstrip("\n") for line in lines]


def _decompressed(path: Path) -> bytes:
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
        if content[257:262] == b"ustar":
            raise InputError(f"{path} is an archive of several files; unpack it and name the file.")
        return content
    if content.startswith(b"BZh"):
        return bz2.decompress(content)
    if content.startswith(b"\xfd7zXZ"):
        return lzma.decompress(content)
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [
                name
                for name in archive.namelist()
                if not name.endswith("/")
                and not name.startswith("__MACOSX")
                and not PurePosixPath(name).name.startswith(".")
            ]
            if len(names) != 1:
                raise InputError(
                    f"{path} holds {len(names)} files ({name_some(names)}); expected one table. "
                    "Unpack it and name the file to read."
                )
            return archive.read(names[0])
    return content


def _decoded(content: bytes, path: Path) -> tuple[bytes, str]:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return _converted(content, encoding, path)
    start = content[:_LOOKED_AT]
    if start.count(b"\x00") * 3 > len(start) > 3:
        return _converted(content, "utf-16-le" if start[1:2] == b"\x00" else "utf-16-be", path)
    if len(start.translate(None, _CONTROL)) < len(start):
        raise InputError(
            f"{path} is not readable text (it holds control characters); expected a table of "
            "expression values such as CSV, TSV, xlsx, Parquet or h5ad. Export it again."
        )
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return content.decode("cp1252").encode(), "Windows-1252 (Latin-1)"
        except UnicodeDecodeError:
            return content.decode("latin-1").encode(), "Latin-1"
    return content, "UTF-8"


def _converted(content: bytes, encoding: str, path: Path) -> tuple[bytes, str]:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not readable text ({error}); expected a table in UTF-8 or UTF-16. "
            "Export it again."
        ) from error
    return text.removeprefix("\ufeff").encode(), "UTF-16"
