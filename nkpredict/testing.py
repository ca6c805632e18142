"""The test kit for new learners, readers and combination methods, and a toy panel to try them on.

Nothing here needs pytest; what is wrong raises an `AssertionError` that says so. The how-to pages
in ``docs/how-to`` use it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from nkpredict.errors import InputError
from nkpredict.evidence import CombinationMethod, GeneEvidence
from nkpredict.io import approved_symbols
from nkpredict.learn import GeneLearner
from nkpredict.types import FloatArray

__all__ = ["ToyPanel", "check_combination_method", "check_learner", "check_reader", "toy_panel"]

_DRIVERS = {"ICAM1": 0.25, "HLA-E": -0.25, "CD58": 0.2}
_SPLIT = 3  # every third sample is held out
_LEAST_CORRELATION = 0.3
_EXACT = 1e-8


@dataclass(frozen=True)
class ToyPanel:
    """A made-up study in which three genes drive the response.

    Attributes
    ----------
    profiles : pandas.DataFrame
        60 samples × 60 genes.
    susceptibility : pandas.Series
        Response of the samples, higher = killed more easily.
    lineage : pandas.Series
        Three lineages of 20 samples.
    drivers : dict
        Gene → its true slope.
    evidence : GeneEvidence
        Screens that name the drivers with the right sign, and one other gene.
    """

    profiles: pd.DataFrame
    susceptibility: pd.Series
    lineage: pd.Series
    drivers: dict[str, float]
    evidence: GeneEvidence


def toy_panel(seed: int = 0) -> ToyPanel:
    """Make a toy panel; the same seed gives the same panel."""
    rng = np.random.default_rng(seed)
    others = sorted(approved_symbols() - _DRIVERS.keys())[::300][: 60 - len(_DRIVERS)]
    genes = sorted([*_DRIVERS, *others])
    samples = [f"S{number:02d}" for number in range(60)]
    lineage = pd.Series(np.repeat(["AML", "BCL", "MM"], 20), index=samples, name="lineage")
    programmes = rng.normal(0, 0.5, (3, len(genes)))[np.repeat(np.arange(3), 20)]
    values = 5 + programmes + rng.normal(0, 1, (60, len(genes)))
    profiles = pd.DataFrame(values, index=samples, columns=genes)
    signal = (profiles[list(_DRIVERS)] - 5) @ np.array(list(_DRIVERS.values()))
    response = pd.Series(0.5 + signal + rng.normal(0, 0.1, 60), name="susceptibility")
    named = {**{gene: 0.8 * np.sign(slope) for gene, slope in _DRIVERS.items()}, others[0]: 0.5}
    table = pd.DataFrame({"evidence": pd.Series(named)}).rename_axis("gene")
    table = table.assign(confidence=0.8, n_screens=2, agreement=1.0, conflict=False)
    return ToyPanel(profiles, response, lineage, dict(_DRIVERS), GeneEvidence(table))


def check_learner(learner: GeneLearner, panel: ToyPanel | None = None) -> None:
    """Check that a learner keeps the contract of `nkpredict.learn.GeneLearner`.

    It must learn planted drivers, match genes by name, take missing values, give every sample the
    same answer alone and in company, split its predictions exactly, answer what one gene alone
    would change, and come back from its state to the last bit.

    Parameters
    ----------
    learner
        Unfitted.
    panel
        What to learn; a `toy_panel` when not given.

    Raises
    ------
    AssertionError
        With what is wrong.
    """
    panel = toy_panel() if panel is None else panel
    fitted = clone(learner).fit(panel.profiles, panel.susceptibility)
    _check_signal(learner, panel)
    _check_answers(fitted, panel.profiles)
    _check_additivity(fitted, panel)
    _check_state(fitted, panel.profiles)
    again = clone(learner).fit(panel.profiles, panel.susceptibility)
    _equal(again.predict(panel.profiles), fitted.predict(panel.profiles), "a second fit differs")


def check_combination_method(method: CombinationMethod, seed: int = 3) -> None:
    """Check that a way to combine screens keeps the contract of ``nkpredict.evidence.METHODS``.

    Planted genes must be found with their sign, noise must make no findings, turning every sign
    must turn the score, the order of genes and screens must not matter, and a gene that was not
    measured must score 0.

    Parameters
    ----------
    method
        Signed z (genes × screens, NaN where not measured) and one weight a screen → `Combination`.
    seed
        Of the noise.

    Raises
    ------
    AssertionError
        With what is wrong.
    """
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(3000, 6))
    z = noise.copy()
    z[:10] += 3.5
    z[10:20] -= 3.5
    z[50] = np.nan
    z[0, 3:] = np.nan
    weights = np.linspace(0.5, 2, 6)
    found = method(z, weights)
    _must(bool((found.score[:10] > 0).all()), "a planted sensitizing gene has no positive score")
    _must(bool((found.score[10:20] < 0).all()), "a planted protecting gene has no negative score")
    first = np.argsort(-np.abs(found.score))[:40]
    _must(len(set(first) & set(range(20))) >= 10, "most planted genes are not among the first 40")
    _must(bool(np.isfinite(found.score).all() and np.isfinite(found.fdr).all()), "NaN in a verdict")
    _must(found.score[50] == 0, "a gene that was not measured must score 0")
    _must((method(noise, weights).fdr < 0.05).sum() <= 1, "noise makes findings")
    turned = method(-z, weights)
    _close(turned.score, -found.score, "turning every sign does not turn the score")
    genes, screens = rng.permutation(len(z)), rng.permutation(z.shape[1])
    moved = method(z[genes][:, screens], weights[screens])
    _close(moved.score, found.score[genes], "the order of genes or screens matters")


def check_reader(read: Callable[[Path], Any], valid: str | Path) -> None:
    """Check that a reader reads its file and refuses damaged ones in a sentence.

    The file is read twice with the same result and left as it was. Where there is no file, an
    empty one, random bytes, or another table, the reader must raise an `InputError` that names
    the file and ends in a full stop.

    Parameters
    ----------
    read
        Takes the path of a file.
    valid
        A file that it must read.

    Raises
    ------
    AssertionError
        With what is wrong.
    """
    valid = Path(valid)
    content = valid.read_bytes()
    _must(repr(read(valid)) == repr(read(valid)), "reading twice gives two results")
    _must(valid.read_bytes() == content, "reading changed the file")
    damaged = {
        "empty": b"",
        "random bytes": np.random.default_rng(0).bytes(2000),
        "another table": b"fruit,colour\napple,red\npear,green\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        _refused(read, Path(folder) / f"absent-{valid.name}", "a file that is not there")
        for what, wrong in damaged.items():
            path = Path(folder) / f"damaged-{valid.name}"
            path.write_bytes(wrong)
            _refused(read, path, what)


def _check_signal(learner: GeneLearner, panel: ToyPanel) -> None:
    held_out = np.arange(len(panel.profiles)) % _SPLIT == 0
    train, test = panel.profiles[~held_out], panel.profiles[held_out]
    predicted = clone(learner).fit(train, panel.susceptibility[~held_out]).predict(test)
    _must(predicted.shape == (len(test),), f"predict gives the shape {predicted.shape}")
    correlation = float(np.corrcoef(predicted, panel.susceptibility[held_out])[0, 1])
    _must(
        correlation > _LEAST_CORRELATION,
        f"unseen samples of planted drivers are predicted with a correlation of {correlation:.2f}",
    )


def _check_answers(fitted: GeneLearner, profiles: pd.DataFrame) -> None:
    predicted = fitted.predict(profiles)
    turned = profiles[profiles.columns[::-1]].assign(EXTRA=1.0)
    _equal(fitted.predict(turned), predicted, "genes are not matched by name")
    alone = [fitted.predict(profiles.iloc[[row]])[0] for row in range(5)]
    _equal(np.array(alone), predicted[:5], "a sample alone is not what it is in company")
    gaps = profiles.mask(np.random.default_rng(1).random(profiles.shape) < 0.2)
    _must(bool(np.isfinite(fitted.predict(gaps)).all()), "missing values give no prediction")


def _check_additivity(fitted: GeneLearner, panel: ToyPanel) -> None:
    profiles = panel.profiles
    predicted = fitted.predict(profiles)
    parts, base = fitted.contributions(profiles)
    _must(parts.shape == profiles.shape, f"contributions have the shape {parts.shape}")
    _close(parts.sum(axis=1) + base, predicted, "contributions do not add up to the prediction")
    level = profiles.to_numpy().max(axis=0)
    change = fitted.substituted(profiles, level)
    for gene in panel.drivers:
        column = profiles.columns.get_loc(gene)
        moved = profiles.assign(**{gene: level[column]})
        _close(
            change[:, column],
            fitted.predict(moved) - predicted,
            f"substituted differs from predicting again with another level of {gene}",
        )


def _check_state(fitted: GeneLearner, profiles: pd.DataFrame) -> None:
    parameters = {k: v for k, v in fitted.get_params(deep=False).items() if k != "evidence"}
    back = type(fitted).from_state(parameters, fitted.state(), profiles.shape[1])
    values = profiles[list(fitted.feature_names_in_)].to_numpy()
    _equal(back.predict(values), fitted.predict(profiles), "the state gives other predictions")
    _must(
        all(isinstance(value, float) for value in fitted.diagnostics().values()),
        "diagnostics are not plain numbers",
    )


def _refused(read: Callable[[Path], Any], path: Path, what: str) -> None:
    try:
        read(path)
    except InputError as error:
        _must(path.name in str(error), f"the error for {what} does not name the file: {error}")
        _must(str(error).rstrip().endswith("."), f"the error for {what} is no sentence: {error}")
    except Exception as error:
        raise AssertionError(f"{what} raises {type(error).__name__}, no InputError") from error
    else:
        raise AssertionError(f"{what} is read without an error")


def _must(condition: bool, what: str) -> None:
    if not condition:
        raise AssertionError(f"{what}.")


def _close(found: FloatArray, expected: FloatArray, what: str) -> None:
    difference = float(np.abs(found - expected).max())
    _must(difference <= _EXACT, f"{what} (by {difference:.2g})")


def _equal(found: FloatArray, expected: FloatArray, what: str) -> None:
    _must(bool(np.array_equal(found, expected)), what)
