"""Code of others is what its record says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import nkpredict.report

VENDOR = Path(nkpredict.report.__file__).parent / "templates" / "vendor"


def test_vendored_files_are_unchanged_and_licensed():
    record = (VENDOR / "README.md").read_text(encoding="utf-8")
    scripts = sorted(VENDOR.glob("*.js"))
    assert [path.name for path in scripts] == ["sortable.min.js"]
    for path in scripts:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in record
    licence = (VENDOR / "LICENSE-sortable-tablesort").read_text(encoding="utf-8")
    assert "released into the public domain" in licence
