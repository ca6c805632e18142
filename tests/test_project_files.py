"""What stands beside the package and must agree with it."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pinned(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)(?:\[[^\]]*\])?==(\S+)", text, flags=re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[]", each)[0].lower() for each in requirements}


def test_citation_and_changelog_name_the_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["version"] == version("nkpredict")
    assert citation["license"] == PROJECT["license"]
    assert citation["references"][0]["doi"] == "10.1016/j.immuni.2023.11.008"
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changelog, flags=re.MULTILINE)[0] == PROJECT["version"]


def test_every_dependency_is_pinned_with_hashes_and_explained() -> None:
    run, dev = pinned("run.txt"), pinned("dev.txt")
    assert names(PROJECT["dependencies"]) <= set(run)
    assert set().union(*map(names, PROJECT["optional-dependencies"].values())) <= set(dev)
    assert run.items() <= dev.items()
    page = "docs/project/dependencies.md"
    explained = (ROOT / page).read_text(encoding="utf-8")
    assert not [name for name in names(PROJECT["dependencies"]) if name not in explained]
    extras = PROJECT["optional-dependencies"].keys() - {"test", "dev"}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert page in readme
    for text in (explained, readme):
        assert not [extra for extra in extras if f"`{extra}`" not in text]


def test_readme_is_a_page_to_begin_with() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert 60 <= len(lines) <= 80
    assert "research use only" in "\n".join(lines[:12])


def test_what_builds_the_package_is_pinned_and_fits_what_runs_it() -> None:
    build, dev = pinned("build.txt"), pinned("dev.txt")
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    assert names(asked) <= set(build)
    assert {name: build[name] for name in set(build) & set(dev)}.items() <= dev.items()


def test_the_container_is_made_of_files_that_exist_and_installs_what_is_pinned() -> None:
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    sources = re.findall(r"^COPY (\S+) ", text, flags=re.M)
    assert sources
    assert all((ROOT / source).exists() for source in sources)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    needed = {"README.md", "LICENSE", *asked["targets"]["wheel"]["force-include"]}
    assert not {path.split("/")[0] for path in needed} & set(ignored)
    for install in re.findall(r"pip install ([^&\n]*)", text):
        files = re.findall(r"-r (\S+)", install)
        assert ("--require-hashes" in install) == bool(files)
        assert "--no-deps" in install or files
        assert all((ROOT / file).is_file() for file in files)
    assert pinned("postgresql.txt").items() <= pinned("dev.txt").items()


PINNED = ["build.txt", "postgresql.txt", "release.txt", "run.txt", "dev.txt"]


@pytest.mark.parametrize("name", PINNED)
def test_pinned_requirements_name_no_place_of_download(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "://" not in text
    blocks = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


def test_hooks_are_local() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]
    assert all(hook["language"] == "system" for hook in hooks["repos"][0]["hooks"])


def test_readme_installs_from_files_that_exist() -> None:
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), flags=re.S)
    files = re.findall(r"-r (\S+)", "".join(blocks[:2]))
    names = ["build", "run", "build", "dev"]
    assert files == [f"requirements/{name}.txt" for name in names]
    assert all((ROOT / file).is_file() for file in files)


def test_every_library_that_is_installed_with_the_package_has_its_licence_listed() -> None:
    page = (ROOT / "docs" / "project" / "licences.md").read_text(encoding="utf-8")
    listed = {re.sub("[_.]", "-", name.lower()) for name in re.findall(r"^\| (\S+) ", page, re.M)}
    needed = names(PROJECT["dependencies"])
    assert needed <= listed
