"""What happens to results where nothing can be written, and who signed a model."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.registry.test_signing import write_keys


@pytest.fixture
def profiles(profiles: pd.DataFrame, tmp_path: Path) -> Path:
    profiles.iloc[:8].clip(lower=0.1).to_csv(tmp_path / "profiles.csv")
    return tmp_path / "profiles.csv"


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv.pop(1))))
from nkpredict.cli import main
main()
"""


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_keeps_the_old_results(
    run, bundle: Path, profiles: Path, tmp_path: Path
) -> None:
    command = ["score", profiles, "--model", bundle, "--out", tmp_path / "out", "--quiet"]
    code, _, error = run(*command)
    assert code == 0, error
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    limited = [sys.executable, "-c", LIMITED, "2000", *map(str, command)]
    done = subprocess.run(limited, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("nkpredict: ")
    assert "File too large" in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".out")]


def test_a_link_given_as_out_stays(run, bundle: Path, profiles: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    code, _, error = run("score", profiles, "--model", bundle, "--out", tmp_path / "out")
    assert code == 0, error
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "disk" / "scores.csv").is_file()


def test_models_are_signed_and_verified(run, bundle: Path, tmp_path: Path) -> None:
    pytest.importorskip("model_signing", reason="the extra signing is not installed")
    private, public = write_keys(tmp_path, "lab")
    own = tmp_path / "bundle"
    shutil.copytree(bundle, own)
    code, said, error = run("models", "verify", own)
    assert (code, "Nobody's signature" in said) == (0, True), error
    code, _, error = run("models", "verify", own, "--key", public)
    assert (code, "is not signed" in error) == (2, True)
    code, said, error = run("models", "sign", own, "--key", private)
    assert (code, "bundle.sig" in said) == (0, True), error
    code, said, error = run("models", "verify", own, "--key", public)
    assert (code, "Signed by" in said) == (0, True), error
    (own / "card.md").write_text("changed")
    code, _, error = run("models", "verify", own, "--key", public)
    assert (code, "is not the file that was saved" in error) == (2, True)


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        ("sign", [], "either --key"),
        ("sign", ["--key", "a.pem", "--keyless"], "either --key"),
        ("sign", ["--key", "a.pem", "--issuer", "https://x.org"], "belong to --keyless"),
        ("sign", ["--key", "a.pem", "--trust-config", "a.json"], "belong to --keyless"),
        ("verify", ["--identity", "a@b.org"], "--issuer together"),
        ("verify", ["--issuer", "https://x.org"], "--issuer together"),
        ("verify", ["--key", "a.pem", "--trust-config", "a.json"], "belongs to --identity"),
    ],
)
def test_what_signing_needs_is_told(run, bundle: Path, command, options, message: str) -> None:
    code, _, error = run("models", command, bundle, *options)
    assert (code, message in error) == (2, True), error
    assert not (bundle / "bundle.sig").exists()
