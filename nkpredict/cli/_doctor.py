"""nkpredict doctor."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from nkpredict.cli._console import JsonFile, Quiet, print_table, say, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.configuration import RegistryLocation

Found = tuple[str, bool, str]
_SHIPPED = (("reference", "gene_names.tsv.gz"), ("models", "screen-prior", "bundle"))


@with_options
def doctor(
    mend: Annotated[
        bool, typer.Option("--mend", help="Mend a registry that was cut short or damaged.")
    ] = False,
    registry: RegistryLocation = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Check the installation and the registry; exit code 1 when something is wrong.

    Example:

        nkpredict doctor
    """
    from nkpredict.registry import check_registry, mend_registry

    mended = mend_registry(registry) if mend else []
    for sentence in mended:
        say(sentence, quiet)
    found = [*_installation(), *((c.name, c.passed, c.detail) for c in check_registry(registry))]
    checks = [{"check": name, "passed": passed, "detail": told} for name, passed, told in found]
    write_json_file(json_file, {"checks": checks, "mended": mended})
    if not quiet:
        rows = [[name, "ok" if passed else "WRONG", told] for name, passed, told in found]
        print_table("nkpredict doctor", ["check", "", "found"], rows)
    if not all(passed for _, passed, _ in found):
        raise typer.Exit(1)


def _installation() -> Iterator[Found]:
    from nkpredict import __version__
    from nkpredict.shipped import shipped_path

    python = ".".join(map(str, sys.version_info[:3]))
    yield "nkpredict", True, f"{__version__}, Python {python}, {sys.platform}"
    wrong = list(_wrong_packages())
    told = f"{'; '.join(wrong)}; install nkpredict again" if wrong else "all there"
    yield "packages", not wrong, told
    lacking = []
    for parts in _SHIPPED:
        try:
            shipped_path(*parts)
        except FileNotFoundError:
            lacking.append("/".join(parts))
    told = f"{', '.join(lacking)} missing; install nkpredict again" if lacking else "all there"
    yield "shipped files", not lacking, told


def _wrong_packages() -> Iterator[str]:
    """Yield what is missing, or of another version than the installed package asks for."""
    from importlib.metadata import PackageNotFoundError, requires, version

    from packaging.requirements import Requirement

    for line in requires("nkpredict") or ():
        needed = Requirement(line)
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(needed.name)
        except PackageNotFoundError:
            yield f"{needed.name} is missing"
            continue
        if not needed.specifier.contains(re.sub(r"\+.*", "", found), prereleases=True):
            yield f"{needed.name} is {found}, expected {needed.specifier}"
