"""What the pages of the report share: templates, filters, and what a browser may run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from nkpredict.report import _drugs as drug_tables
from nkpredict.report import _formats as formats


def page_template(name: str) -> Template:
    """Return a template of the report."""
    return _environment().get_template(name)


def shipped_text(name: str) -> str:
    """Return a file that lies beside the templates, as it is."""
    return _loader().get_source(_environment(), name)[0]


def policy(style: str, scripts: Sequence[str]) -> str:
    """Return the content security policy of a page with one style and these scripts."""
    # The browser runs this style and these scripts and nothing else, whatever a name holds.
    style_hash, *script_hashes = (
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (style, *scripts)
    )
    script = f"script-src {' '.join(script_hashes)}; " if scripts else ""
    return (
        f"default-src 'none'; style-src {style_hash}; {script}"
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def _loader() -> PackageLoader:
    return PackageLoader("nkpredict.report")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=_loader(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False}
    environment.filters.update(
        count=formats.count,
        decimal=formats.decimal,
        finite=lambda value: formats.is_number(value) and np.isfinite(value),
        percent=formats.percent,
        signed=formats.signed,
    )
    environment.globals.update(
        interval=formats.interval, liabilities=drug_tables.LIABILITIES, plain=formats.plain
    )
    return environment
