from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from experiments.benchmark.page import (
    BEGIN,
    END,
    benchmark_markdown,
    update_document,
    write_benchmark,
)
from experiments.benchmark.peers import AVERAGES, PEERS, Peer
from experiments.benchmark.run import run_benchmark
from experiments.benchmark.summary import (
    against_best_peer,
    bootstrap_spearman,
    compare,
    score_tasks,
    within_folds,
)
from experiments.benchmark.tasks import BenchmarkTask, planted_task
from nkpredict.errors import InputError
from nkpredict.evaluate import spearman
from nkpredict.simulate._biology import NK_GENES

CHEAP = ("mean", "lineage mean", "best single gene", "RidgeCV")


class Recorder(BaseEstimator):
    """Remembers what it was fitted on; predicts the first gene."""

    seen: ClassVar[list[tuple[tuple[str, ...], tuple[str, ...]]]] = []

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def fit(self, X, y):
        self.train_ = tuple(X.index)
        return self

    def predict(self, X):
        Recorder.seen.append((self.train_, tuple(X.index)))
        return X.iloc[:, self.number].to_numpy()


class Failing(Recorder):
    def fit(self, X, y):
        raise RuntimeError("out of luck")


@pytest.fixture
def task(profiles, susceptibility, lineage) -> BenchmarkTask:
    return BenchmarkTask(
        name="drug A",
        family="drug response",
        group="drug A",
        profiles=profiles,
        target=susceptibility.to_numpy(),
        lineage=lineage.to_numpy(dtype=object),
    )


@pytest.fixture
def planted(profiles, lineage) -> BenchmarkTask:
    wide = profiles.iloc[:, :100].copy()
    named = sorted(set(NK_GENES) - set(wide.columns))[:30]
    rng = np.random.default_rng(4)
    wide[named] = rng.normal(size=(len(wide), len(named)))
    return planted_task(
        wide, lineage.to_numpy(dtype=object), "additive", 0, drivers=12, nk_drivers=8
    )


@pytest.fixture
def cheap() -> dict[str, Peer]:
    return {name: PEERS[name] for name in CHEAP}


def recorders(count: int = 2) -> dict[str, Peer]:
    Recorder.seen.clear()
    return {f"recorder {n}": Peer(lambda setting, n=n: Recorder(n)) for n in range(count)}


def test_every_model_sees_the_same_folds_and_no_test_sample(task, tmp_path) -> None:
    run_benchmark([task], recorders(3), folder=tmp_path, repeats=2)
    by_model = [Recorder.seen[start::3] for start in range(3)]
    assert by_model[0] == by_model[1] == by_model[2]
    assert len(by_model[0]) == 2 * 5 + 3
    for train, test in Recorder.seen:
        assert set(train).isdisjoint(test)
        assert len(train) + len(test) == 60


def test_a_second_run_computes_nothing(task, cheap, tmp_path) -> None:
    first = run_benchmark([task], cheap, folder=tmp_path, repeats=1)
    assert (first.computed, first.reused) == (4 * 8, 0)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    assert len(stamps) == 32
    again = run_benchmark([task], cheap, folder=tmp_path, repeats=1)
    assert (again.computed, again.reused) == (0, 32)
    assert stamps == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    pd.testing.assert_frame_equal(first.predictions, again.predictions, check_exact=True)
    more = run_benchmark([task], cheap, folder=tmp_path, repeats=2)
    assert (more.computed, more.reused) == (20, 32)


def test_a_deleted_fit_is_made_again(task, cheap, tmp_path) -> None:
    first = run_benchmark([task], cheap, folder=tmp_path, repeats=1)
    gone = sorted(tmp_path.rglob("RidgeCV-*.json"))[2]
    before = gone.read_text()
    gone.unlink()
    again = run_benchmark([task], cheap, folder=tmp_path, repeats=1)
    assert (again.computed, again.reused) == (1, 31)
    assert '"predicted"' in before
    assert gone.exists()
    pd.testing.assert_frame_equal(first.predictions, again.predictions, check_exact=True)


def test_a_damaged_fit_is_named(task, cheap, tmp_path) -> None:
    run_benchmark([task], cheap, folder=tmp_path, repeats=1)
    next(tmp_path.rglob("*.json")).write_text("{")
    with pytest.raises(InputError, match="Delete the file"):
        run_benchmark([task], cheap, folder=tmp_path, repeats=1)


def test_changed_data_or_settings_are_computed_anew(task, tmp_path) -> None:
    peers = recorders(1)
    run_benchmark([task], peers, folder=tmp_path, repeats=1)
    other = {"recorder 0": replace(peers["recorder 0"], settings={"seconds": 2})}
    assert run_benchmark([task], other, folder=tmp_path, repeats=1).reused == 0
    changed = BenchmarkTask(
        task.name, task.family, task.group, task.profiles, task.target + 1e-6, task.lineage
    )
    assert run_benchmark([changed], peers, folder=tmp_path, repeats=1).reused == 0
    assert run_benchmark([task], peers, folder=tmp_path, repeats=1).computed == 0


def test_changed_code_of_the_model_is_computed_anew(task, tmp_path) -> None:
    source = tmp_path / "model.py"
    source.write_text("1")
    peers = {
        "recorder": Peer(lambda setting: Recorder(), sources=(source,)),
        "mean": PEERS["mean"],
    }
    run_benchmark([task], peers, folder=tmp_path / "fits", splits=["random"], repeats=1)
    source.write_text("2")
    run = run_benchmark([task], peers, folder=tmp_path / "fits", splits=["random"], repeats=1)
    assert (run.computed, run.reused) == (5, 5)


def test_code_changed_during_the_run_stores_nothing(task, tmp_path) -> None:
    source = tmp_path / "model.py"
    source.write_text("0")

    class Edited(Recorder):
        def fit(self, X, y):
            source.write_text(source.read_text() + "1")
            return super().fit(X, y)

    peers = {"edited": Peer(lambda setting: Edited(), sources=(source,)), "mean": PEERS["mean"]}
    run = run_benchmark([task], peers, folder=tmp_path / "fits", splits=["random"], repeats=1)
    assert set(run.predictions["entrant"]) == {"mean"}
    assert run.failures["reason"].str.contains("was changed during the run").all()
    assert len(list(tmp_path.rglob("*.json"))) == 5


def test_a_stopped_run_goes_on(task, tmp_path) -> None:
    class Stopped(Recorder):
        def fit(self, X, y):
            if len(Recorder.seen) == 3:
                raise KeyboardInterrupt
            return super().fit(X, y)

    Recorder.seen.clear()
    peers = {"recorder": Peer(lambda setting: Stopped())}
    with pytest.raises(KeyboardInterrupt):
        run_benchmark([task], peers, folder=tmp_path, splits=["random"], repeats=1)
    again = run_benchmark(
        [task],
        {"recorder": Peer(lambda setting: Recorder())},
        folder=tmp_path,
        splits=["random"],
        repeats=1,
    )
    assert (again.computed, again.reused) == (2, 3)


@pytest.mark.slow
def test_processes_do_not_change_results(task, cheap, tmp_path) -> None:
    one = run_benchmark([task], cheap, folder=tmp_path / "1", repeats=1)
    two = run_benchmark([task], cheap, folder=tmp_path / "2", repeats=1, n_jobs=2)
    pd.testing.assert_frame_equal(one.predictions, two.predictions, check_exact=True)


def test_a_model_that_fails_stops_no_other_and_is_named(task, cheap, tmp_path) -> None:
    peers = cheap | {"unlucky": Peer(lambda setting: Failing())}
    run = run_benchmark([task], peers, folder=tmp_path / "fits", repeats=1)
    assert set(run.failures["reason"]) == {"RuntimeError: out of luck"}
    assert "unlucky" not in set(run.predictions["entrant"])
    text = benchmark_markdown(run, compare(run.predictions, {}, resamples=5))
    assert "unlucky failed in 8 fits (RuntimeError: out of luck)" in text
    with pytest.raises(InputError, match="No fit succeeded"):
        run_benchmark([task], {"u": peers["unlucky"]}, folder=tmp_path / "fits", repeats=1)


def test_only_models_that_use_evidence_are_fitted_for_each(planted, tmp_path) -> None:
    named = ("nkpredict", "screen prior", "mean")
    peers = {name: replace(PEERS[name], build=lambda setting: Recorder()) for name in named}
    run = run_benchmark([planted], peers, folder=tmp_path, splits=["random"], folds=2, repeats=1)
    assert list(run.predictions["entrant"].unique()) == [
        *(f"nkpredict, {q} evidence" for q in ("true", "half-wrong", "shuffled", "no")),
        *(f"screen prior, {q} evidence" for q in ("true", "half-wrong", "shuffled")),
        "mean",
    ]
    scores = score_tasks(run.predictions).set_index("entrant")
    assert np.isnan(scores.loc["screen prior, true evidence", "rmse"])
    assert np.isfinite(scores.loc["nkpredict, true evidence", "rmse"])


def test_sizes_limit_the_training_samples(task, tmp_path) -> None:
    run = run_benchmark(
        [task], recorders(1), folder=tmp_path, splits=["random"], repeats=1, sizes=[20, 30]
    )
    assert sorted({len(train) for train, _ in Recorder.seen}) == [20, 30, 48]
    assert set(run.predictions["size"]) == {0, 20, 30}
    with pytest.raises(InputError, match="size 50 is outside"):
        run_benchmark([task], recorders(1), folder=tmp_path, sizes=[50])


def test_an_average_is_that_of_its_parts(task, tmp_path) -> None:
    name = next(iter(AVERAGES))
    names = AVERAGES[name]
    peers = {n: Peer(lambda setting, k=k: Recorder(k)) for k, n in enumerate(names)}
    run = run_benchmark([task], peers, folder=tmp_path, splits=["random"], repeats=1)
    wide = run.predictions.pivot_table(index="sample", columns="entrant", values="predicted")
    average = wide.pop(name)
    np.testing.assert_allclose(average, wide.mean(axis=1))
    seconds = run.fits.groupby("entrant")["seconds"].sum()
    total = seconds.pop(name)
    assert total == pytest.approx(seconds.sum())
    del peers[names[0]]
    fewer = run_benchmark([task], peers, folder=tmp_path, splits=["random"], repeats=1)
    assert set(fewer.predictions["entrant"]) == set(peers)


def test_names_of_tasks_must_differ(task, cheap, tmp_path) -> None:
    with pytest.raises(InputError, match="2 tasks with 1 names"):
        run_benchmark([task, task], cheap, folder=tmp_path)


def test_a_bootstrap_sample_counts_samples_as_often_as_drawn() -> None:
    rng = np.random.default_rng(1)
    predicted, observed = rng.normal(size=30).round(1), rng.normal(size=30)
    counts = rng.multinomial(30, np.full(30, 1 / 30), size=4)
    expected = [spearman(np.repeat(predicted, row), np.repeat(observed, row)) for row in counts]
    np.testing.assert_allclose(
        bootstrap_spearman(predicted, observed, counts.astype(float)), expected
    )
    assert (bootstrap_spearman(np.ones(30), observed, counts.astype(float)) == 0).all()


def test_a_difference_to_a_model_that_is_the_same_is_zero(task, tmp_path) -> None:
    peers = recorders(2) | {"copy": Peer(lambda setting: Recorder(0))}
    run = run_benchmark([task], peers, folder=tmp_path, repeats=2)
    table = compare(run.predictions, {"drug response": "recorder 0"}, resamples=50)
    random = table.set_index("entrant").query("split == 'random'")
    assert random.loc["copy", ["difference", "difference_lower", "difference_upper"]].eq(0).all()
    assert (
        random.loc["recorder 1", "difference_lower"] < random.loc["recorder 1", "difference_upper"]
    )
    scores = score_tasks(run.predictions).query("split == 'random'").set_index("entrant")
    np.testing.assert_allclose(
        random["spearman"].to_numpy(), scores.loc[random.index, "spearman"].to_numpy()
    )


def test_the_best_peer_is_found_for_each_measure_and_tasks_are_drawn() -> None:
    entrants = {"nkpredict": (0.5, 0.3), "PLS": (0.4, 0.35), "SVR": (0.3, 0.1)}
    scores = pd.DataFrame(
        {
            **{"family": "f", "split": "random", "size": 0, "task": task, "entrant": entrant},
            **{"spearman": pooled + task / 10, "spearman_within_folds": within},
        }
        for task in range(4)
        for entrant, (pooled, within) in entrants.items()
    )
    table = against_best_peer(scores, "nkpredict", ("SVR", "PLS", "absent"), resamples=50)
    assert list(table["peer"]) == ["PLS", "PLS"]
    np.testing.assert_allclose(table["difference"], [0.1, -0.05])
    np.testing.assert_allclose(table["lower"], table["upper"])
    assert list(table["ahead"]) == [4, 0]
    assert against_best_peer(scores, "nkpredict", ("absent",)).empty


def test_within_folds_the_level_of_a_fold_does_not_count() -> None:
    order = np.arange(6.0)
    folds = [{"fold": f, "observed": order, "predicted": order - 100 * f} for f in range(2)]
    predictions = pd.concat(pd.DataFrame(fold) for fold in folds).assign(entrant="m", repeat=0)
    assert within_folds(predictions) == {"m": 1.0}


def test_tables_and_figure_are_written_and_text_around_them_stays(
    task, planted, cheap, tmp_path
) -> None:
    ours = replace(PEERS["nkpredict"], build=lambda setting: Recorder())
    peers = cheap | {"nkpredict": ours}
    run = run_benchmark([task, planted], peers, folder=tmp_path / "fits", folds=2, repeats=1)
    document, figure = tmp_path / "learning.md", tmp_path / "learning.png"
    document.write_text(f"# Benchmark\n\nBefore.\n\n{BEGIN}\nstale\n{END}\n\nAfter.\n")
    texts = []
    for _ in range(2):
        write_benchmark(
            run,
            document=document,
            figure=figure,
            absent={"FLAML": "not installed"},
            facts=["Made for a test."],
            resamples=20,
        )
        texts.append((document.read_text(), figure.read_bytes()))
    assert texts[0] == texts[1]
    text = texts[0][0]
    assert text.startswith("# Benchmark\n\nBefore.\n\n")
    assert text.endswith(f"{END}\n\nAfter.\n")
    assert "stale" not in text
    assert "### Drug response, random" in text
    assert "### SIMULATED killing, lineage-held-out" in text
    assert "minus nkpredict, true evidence (95 %)" in text
    assert "- FLAML did not take part: not installed." in text
    assert "- Made for a test." in text
    assert figure.read_bytes()[:4] == b"\x89PNG"


def test_a_document_without_markers_is_not_overwritten(tmp_path) -> None:
    path = tmp_path / "learning.md"
    path.write_text("# Hand-written\n")
    with pytest.raises(InputError, match="Add them"):
        update_document(path, "table")
    assert path.read_text() == "# Hand-written\n"
