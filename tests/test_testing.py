"""The shipped test kit passes for what ships, and fails for what breaks a contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import read_expression, read_screens
from nkpredict.errors import InputError
from nkpredict.evidence import METHODS, Combination
from nkpredict.learn import LEARNERS, EvidenceRidge
from nkpredict.testing import check_combination_method, check_learner, check_reader, toy_panel


@pytest.mark.parametrize("kind", LEARNERS, ids=lambda kind: kind.name)
def test_every_learner_passes(kind) -> None:
    check_learner(kind())


def test_learners_that_read_evidence_pass_with_it() -> None:
    panel = toy_panel()
    for kind in LEARNERS:
        if "evidence" in kind().get_params():
            check_learner(kind(evidence=panel.evidence), panel)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_combination_method_passes(method: str) -> None:
    check_combination_method(METHODS[method])


def test_readers_pass(tmp_path: Path) -> None:
    panel = toy_panel()
    expression = tmp_path / "expression.csv"
    panel.profiles.rename_axis("sample").to_csv(expression)
    check_reader(read_expression, expression)
    screen = tmp_path / "screen.gene_summary.txt"
    columns = ["num", "neg|score", "neg|p-value", "neg|fdr", "neg|rank", "neg|goodsgrna"]
    columns += ["neg|lfc", "pos|score", "pos|p-value", "pos|fdr", "pos|rank", "pos|goodsgrna"]
    table = pd.DataFrame(
        0.5, index=pd.Index(["ICAM1", "HLA-E", "CD58"], name="id"), columns=columns
    )
    table.assign(**{"pos|lfc": [1.0, -1.0, 0.5]}).to_csv(screen, sep="\t")
    check_reader(read_screens, screen)


class Forgetful(EvidenceRidge):
    def contributions(self, X):
        parts, base = super().contributions(X)
        return parts * 0.9, base


class Crowded(EvidenceRidge):
    def predict(self, X):
        predicted = super().predict(X)
        return predicted - predicted.mean()


@pytest.mark.parametrize(
    ("kind", "message"), [(Forgetful, "do not add up"), (Crowded, "in company")]
)
def test_a_learner_that_breaks_the_contract_is_told(kind, message) -> None:
    with pytest.raises(AssertionError, match=message):
        check_learner(kind())


def test_a_method_that_cannot_find_the_sign_is_told() -> None:
    def unsigned(z, weights):
        strength = np.nan_to_num(np.abs(z)).sum(axis=1)
        return Combination(strength, np.ones(len(z)))

    with pytest.raises(AssertionError, match="protecting"):
        check_combination_method(unsigned)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda path: path.read_text(errors="replace"), "FileNotFoundError"),
        (
            lambda path: path.stat().st_size if path.is_file() else _missing(path),
            "without an error",
        ),
    ],
)
def test_a_reader_that_takes_anything_is_told(tmp_path, read, message) -> None:
    valid = tmp_path / "valid.txt"
    valid.write_text("valid\n")
    with pytest.raises(AssertionError, match=message):
        check_reader(read, valid)


def _missing(path: Path) -> None:
    raise InputError(f"{path} is not there.")
