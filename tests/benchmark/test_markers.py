"""Where explanations place known markers."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from experiments.benchmark.markers import (
    CORRELATION,
    ENTRANTS,
    MARKERS,
    OURS,
    Importance,
    conclusion,
    markers_markdown,
    median_ranks,
    rank_markers,
)
from experiments.benchmark.tasks import DRUGS, BenchmarkTask
from nkpredict.io import resolve_gene


@pytest.fixture
def task(profiles: pd.DataFrame, lineage: pd.Series) -> BenchmarkTask:
    """Venetoclax of a made-up panel in which BCL2 sensitizes and BCL2L1 protects."""
    named = profiles.rename(columns={profiles.columns[3]: "BCL2", profiles.columns[5]: "BCL2L1"})
    noise = np.random.default_rng(1).normal(0, 0.3, len(named))
    return BenchmarkTask(
        name="Venetoclax",
        family="drug response",
        group="Venetoclax",
        profiles=named,
        target=(named["BCL2"] - 0.6 * named["BCL2L1"] + noise).to_numpy(),
        lineage=lineage.to_numpy(dtype=object),
    )


def test_every_marker_has_a_direction_and_a_source() -> None:
    assert {marker.drug for marker in MARKERS} == set(DRUGS)
    pairs = [(marker.drug, marker.gene) for marker in MARKERS]
    assert len(set(pairs)) == len(pairs)
    source = r"10\.\d{4,}/\S+|PMID \d+|.+ \d{4};\d+:\d+"
    for marker in MARKERS:
        assert marker.direction in (-1, 1)
        assert re.fullmatch(source, marker.source), marker
        assert resolve_gene(marker.gene)[0] == marker.gene


@pytest.mark.parametrize("entrant", ENTRANTS)
def test_every_explanation_finds_a_planted_primary_marker(task, entrant) -> None:
    table = rank_markers(task, {entrant: ENTRANTS[entrant]}).set_index("gene")
    assert table.loc["BCL2", "rank"] <= 5
    assert table.loc["BCL2", "sign_agrees"]
    assert np.isnan(table.loc["MCL1", "rank"])
    assert not table.loc["MCL1", "used"]


def test_what_is_not_used_shares_the_last_ranks(task) -> None:
    size = pd.Series(0.0, task.profiles.columns)
    size["BCL2"] = 2.0
    table = rank_markers(task, {OURS: lambda _: Importance(size, -size)}).set_index("gene")
    assert table.loc["BCL2", "rank"] == 1
    assert not table.loc["BCL2", "sign_agrees"]
    assert table.loc["BCL2L1", "rank"] == np.mean(np.arange(2, 121))
    assert not table.loc["BCL2L1", "used"]


def test_the_page_says_what_is_found_and_what_is_not(task) -> None:
    chosen = {name: ENTRANTS[name] for name in (OURS, CORRELATION)}
    table = rank_markers(task, chosen)
    medians = median_ranks(table)
    text = markers_markdown(table, medians)
    assert text.startswith("Primary causes are found by nkpredict's explanation (median rank 1);")
    assert "secondary causes are found" in text  # one of two genes is among the first 50
    assert "Not among the genes of these profiles: BAX, BCL2A1, CLEC7A, MCL1, PMAIP1." in text
    assert "| Venetoclax | **BCL2** | + | 1 ✓ |" in text
    far = medians.assign(primary=2.0, secondary=51.0)
    assert conclusion(far) == (
        "Primary causes are not found by nkpredict's explanation (median rank 2); secondary "
        "causes are not found (median rank 51)."
    )
