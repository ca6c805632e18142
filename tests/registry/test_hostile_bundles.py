"""A bundle made by a stranger is refused in one sentence, or is a sound model."""

from __future__ import annotations

import shutil
import warnings
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.bounded import Outcome, run_bounded
from nkpredict import NKSusceptibilityModel, load_bundle, save_bundle, score
from nkpredict.errors import BundleError
from nkpredict.facts import DriverFacts, ModelFacts, TrainingFacts
from nkpredict.learn import CalibratedModel, EvidenceBoosting, EvidenceRidge
from tests.registry.hostile_bundles import (
    arrays_of,
    hashes_set_right,
    hostile_cases,
    put,
    with_json,
)

SECONDS, MEGABYTES = 20, 300
GOLDEN = Path(__file__).parent / "golden" / "bundle-format-2"
SHIPPED = Path(__file__).parents[2] / "models" / "screen-prior" / "bundle"


@pytest.fixture(scope="module")
def sound(genes, tmp_path_factory) -> Path:
    rng = np.random.default_rng(0)
    profiles = pd.DataFrame(rng.normal(5, 1, (40, 60)), columns=genes[:60])
    response = profiles.iloc[:, 0] + profiles.iloc[:, 1] + rng.normal(0, 0.2, 40)
    learners = [EvidenceRidge(), EvidenceBoosting(trees=5, models=2, selected_genes=30)]
    model = NKSusceptibilityModel(learners=learners).fit(profiles, response)
    known = ModelFacts(
        name="m",
        training=TrainingFacts(samples=40, sample_lineage=("AML",) * 40),
        drivers=DriverFacts(gene=("TP53",), probability=(0.5,), effect=(0.1,)),
    )
    return save_bundle(model, tmp_path_factory.mktemp("sound") / "bundle", known)


def use(folder: Path) -> None:
    """Do with a bundle what its users do."""
    warnings.simplefilter("ignore")
    bundle = load_bundle(folder)
    model = bundle.model
    values = np.random.default_rng(3).normal(5, 2, (3, len(model.feature_names_in_)))
    profiles = pd.DataFrame(values, columns=model.feature_names_in_, index=["a", "b", "c"])
    repr(bundle), bundle.reference, bundle.drivers
    model.predict(profiles)
    model.contributions(profiles)
    model.substituted(profiles, model.range_[0])
    if bundle.curve is not None:
        bundle.curve.predict_curve(profiles)
    score(profiles, model=folder, force=True)


def outcome_of(case, sound: Path, folder: Path) -> Outcome:
    shutil.copytree(sound, folder)
    case[1](folder)
    found = run_bounded(partial(use, folder), seconds=SECONDS, megabytes=MEGABYTES)
    shutil.rmtree(folder)
    return found


def is_one_sentence(message: str) -> bool:
    return 20 < len(message) <= 600 and "\n" not in message and "Traceback" not in message


def failures(cases, sound: Path, tmp_path: Path) -> tuple[list[str], Counter[str]]:
    use(sound)  # everything is imported before the limit of memory is taken
    bad, kinds = [], Counter()
    for number, case in enumerate(cases):
        outcome = outcome_of(case, sound, tmp_path / f"case-{number}")
        kinds[outcome.kind] += 1
        refused = outcome.kind == "refused" and is_one_sentence(outcome.message)
        if not refused and outcome.kind != "done":
            bad.append(f"{case[0]}: {outcome.kind} {outcome.message[:300]}")
    return bad, kinds


@pytest.mark.slow
def test_some_hostile_bundles_of_each_kind(sound: Path, tmp_path: Path) -> None:
    cases = hostile_cases(sound)
    bad, kinds = failures(cases[::31], sound, tmp_path)
    assert not bad, "\n".join(bad)
    assert kinds["refused"] > 10


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.parametrize(("source", "step"), [("trained", 7), ("golden", 7), ("shipped", 21)])
def test_more_hostile_bundles(source: str, step: int, sound: Path, tmp_path: Path) -> None:
    # all of them take ten minutes: set the steps to 1 when the checks change
    folder = {"trained": sound, "golden": GOLDEN, "shipped": SHIPPED}[source]
    cases = hostile_cases(folder)
    if source == "shipped":  # it has no trees
        cases = [case for case in cases if not case[0].startswith(("trees", "without trees"))]
    cases = cases[::step]
    bad, kinds = failures(cases, folder, tmp_path)
    assert not bad, f"{len(bad)} of {len(cases)} ({dict(kinds)}):\n" + "\n".join(bad)
    assert kinds["refused"] > len(cases) / 2


@pytest.mark.slow
@pytest.mark.parametrize("trees", [1, 3, 1_000_000_000, 1e9, "2", True, None])
def test_the_number_of_trees_is_that_of_the_files(sound: Path, tmp_path: Path, trees) -> None:
    shutil.copytree(sound, tmp_path / "b")
    case = dict(hostile_cases(sound))[f"manifest: trees {trees}"]
    case(tmp_path / "b")
    with pytest.raises(BundleError):
        load_bundle(tmp_path / "b")


@pytest.mark.parametrize("place", ["in all", "in another parameter"])
def test_no_parameter_makes_the_trees_linear(sound: Path, tmp_path: Path, place: str) -> None:
    shutil.copytree(sound, tmp_path / "b")
    dict(hostile_cases(sound))[f"trees: linear {place}"](tmp_path / "b")
    with pytest.raises(BundleError):
        load_bundle(tmp_path / "b")


@pytest.fixture(scope="module")
def calibrated(sound: Path, tmp_path_factory) -> Path:
    model = load_bundle(sound).model
    rng = np.random.default_rng(1)
    lines = pd.DataFrame(rng.normal(5, 1, (12, 60)), columns=model.feature_names_in_)
    response = 2 * model.predict(lines) + 1 + rng.normal(0, 0.2, 12)
    own = CalibratedModel(model).fit(lines, response)
    return save_bundle(own, tmp_path_factory.mktemp("calibrated") / "bundle")


def test_a_calibrated_bundle_predicts_as_before(calibrated: Path) -> None:
    assert isinstance(load_bundle(calibrated).model, CalibratedModel)
    use(calibrated)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("line", "slope"), -1.0),
        (("line", "slope"), "1"),
        (("line", "covariance"), [[1.0, 2.0], [2.0, 1.0]]),
        (("line", "covariance", 0), [1.0]),
        (("line", "covariance", 0, 0), float("nan")),
        (("line", "freedom"), 1),
        (("line", "falling"), 2),
        (("line", "more"), 1),
        (("centre",), 10**400),
        (("typical_width",), -1),
        (("same_unit",), 1),
        (("gain",), {}),
        (("more",), 1),
        ((), []),
    ],
)
def test_a_calibration_is_checked(calibrated: Path, tmp_path: Path, place, value) -> None:
    shutil.copytree(calibrated, tmp_path / "b")
    with_json("calibration.json", lambda old: put(old, place, value))(tmp_path / "b")
    with pytest.raises(BundleError) as raised:
        load_bundle(tmp_path / "b")
    assert is_one_sentence(str(raised.value))


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("model.response_range", lambda ends: ends[::-1]),
        ("model.response_range", lambda ends: ends[:1]),
        ("novelty.lowest", lambda values: values[1:]),
        ("novelty.highest", lambda values: values + np.inf),
        ("platforms.platforms", lambda names: np.array(["nowhere", *names[1:]])),
        ("platforms.platforms", lambda names: np.array([*names[:1], *names[:1], *names[2:]])),
        ("platforms.platforms", lambda names: names[:0]),
        ("platforms.counts", lambda counts: counts[1:]),
        ("platforms.counts", lambda counts: counts - 10**6),
        ("platforms.level", lambda values: values[:, 1:]),
        ("platforms.spread", lambda values: np.full_like(values, -1)),
        ("platforms.more", lambda _: np.zeros(3)),
    ],
)
def test_ends_and_platforms_are_checked(sound: Path, tmp_path: Path, name: str, edit) -> None:
    shutil.copytree(sound, tmp_path / "b")
    arrays = arrays_of((sound / "arrays.npz").read_bytes())
    arrays[name] = edit(arrays.get(name))
    np.savez_compressed(tmp_path / "b" / "arrays.npz", allow_pickle=False, **arrays)
    hashes_set_right(tmp_path / "b")
    with pytest.raises(BundleError) as raised:
        load_bundle(tmp_path / "b")
    assert is_one_sentence(str(raised.value))
