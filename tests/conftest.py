"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from nkpredict.io import approved_symbols

pytest_plugins = ["tests.celled", "tests.scored", "tests.trained"]

# a crowded machine is no failure
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SLOW_FOLDERS = {"benchmark", "browser", "integration"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="also kill, load and fuzz for minutes")
    parser.addoption("--kills", type=int, default=20, help="of training runs, at random moments")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Rooms that are slow, and real data, need no mark; what soaks is skipped unless asked."""
    left_out = pytest.mark.skip(reason="takes minutes: pytest --soak runs it")
    here = Path(__file__).parent
    for item in items:
        inside = item.path.is_relative_to(here)
        if inside and item.path.relative_to(here).parts[0] in SLOW_FOLDERS:
            item.add_marker("slow")
        if item.get_closest_marker("real_data"):
            item.add_marker("slow")
        if item.get_closest_marker("soak") and not config.getoption("--soak"):
            item.add_marker(left_out)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real files, beside the checkout or named by NKPREDICT_DATA."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("NKPREDICT_DATA", beside))
    if not folder.is_dir():
        pytest.skip("real data are not present (set NKPREDICT_DATA to their folder)")
    return folder


@pytest.fixture(scope="session")
def genes() -> list[str]:
    """Return 120 approved symbols, sorted."""
    return sorted(approved_symbols())[::170][:120]


@pytest.fixture
def profiles(genes: list[str]) -> pd.DataFrame:
    """Expression of 60 samples with three lineages' worth of structure."""
    rng = np.random.default_rng(7)
    lineage = np.repeat([0, 1, 2], 20)
    programmes = rng.normal(0, 1, (3, len(genes)))
    values = 5 + rng.normal(0, 1, len(genes)) + programmes[lineage]
    values = values + rng.normal(0, 1, (60, len(genes)))
    return pd.DataFrame(values, index=[f"S{i:02d}" for i in range(60)], columns=genes)


@pytest.fixture
def susceptibility(profiles: pd.DataFrame) -> pd.Series:
    """Response driven by three genes, with noise."""
    rng = np.random.default_rng(8)
    drivers = profiles.iloc[:, [3, 40, 77]]
    signal = (drivers - drivers.mean()) @ np.array([0.25, -0.2, 0.2])
    return (0.5 + signal + rng.normal(0, 0.08, len(profiles))).rename("susceptibility")


@pytest.fixture
def lineage(profiles: pd.DataFrame) -> pd.Series:
    """Three lineages of 20 samples."""
    return pd.Series(np.repeat(["AML", "BCL", "MM"], 20), index=profiles.index)
