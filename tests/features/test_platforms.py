"""Platforms are told of each profile by itself, and profiles are brought to the model's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from nkpredict.features import PlatformBridge, RankedProfiles, SparseRanks
from nkpredict.shipped import shipped_path
from nkpredict.vocabulary import Platform
from tests.platformed import GENES, KNOWN, biology, measured


@pytest.fixture(scope="module")
def bridge() -> PlatformBridge:
    return PlatformBridge.of(GENES, measured(Platform.ARRAY, biology(0, 30)))


def test_a_model_knows_where_it_learned(bridge: PlatformBridge) -> None:
    assert bridge.home is Platform.ARRAY
    assert bridge.native == (Platform.ARRAY,)
    mixed = np.vstack(
        [measured(one, biology(1)).values for one in (Platform.ARRAY, Platform.RNA_SEQ)]
    )
    both = PlatformBridge.of(GENES, RankedProfiles.of(mixed))
    assert both.home is Platform.UNKNOWN
    assert set(both.native) == {Platform.ARRAY, Platform.RNA_SEQ}


@pytest.mark.parametrize("platform", KNOWN)
def test_every_platform_is_told(bridge: PlatformBridge, platform: str) -> None:
    found = bridge.tell(measured(platform, biology(2)))
    assert set(bridge.names(found)) == {platform}
    assert bridge.foreign(found).all() == (platform != Platform.ARRAY)


def test_what_has_the_levels_of_no_platform_is_unknown(bridge: PlatformBridge) -> None:
    found = bridge.tell(RankedProfiles.of(biology(3)))
    assert set(bridge.names(found)) == {"unknown"}
    assert bridge.foreign(found).all()
    assert not bridge.bridged(found).any()


@pytest.mark.parametrize("platform", KNOWN)
@pytest.mark.parametrize("zeros", [0.0, 0.2, 0.5, 0.8, 0.99])
@pytest.mark.parametrize("missing", [0.0, 0.3, 0.99])
def test_cells_are_told_as_their_dense_profiles(
    bridge: PlatformBridge, platform: str, zeros: float, missing: float
) -> None:
    values = measured(platform, biology(4, 20)).values
    values = np.maximum(values - np.quantile(values, zeros, axis=1, keepdims=True), 0.0)
    values[5:7] = 0.0
    present = np.random.default_rng(5).random(len(GENES)) >= missing
    stored = sparse.csr_matrix(np.where(present, values, 0.0))
    ranks = SparseRanks.of(
        stored.indptr.astype(np.int64), stored.indices.astype(np.int32), stored.data, present
    )
    np.testing.assert_array_equal(bridge.tell_cells(ranks), bridge.tell(ranks.dense()))


@pytest.mark.slow
@settings(max_examples=20)
@given(st.integers(0, 7), st.integers(0, 1000), st.sampled_from(KNOWN))
def test_a_profile_alone_is_treated_as_in_company(row: int, seed: int, platform: str) -> None:
    bridge = PlatformBridge.of(GENES, measured(Platform.ARRAY, biology(0, 30)))
    values = measured(platform, biology(seed)).values
    values = np.where(np.random.default_rng(seed).random(values.shape) < 0.1, np.nan, values)
    company, alone = RankedProfiles.of(values), RankedProfiles.of(values[[row]])
    found, own = bridge.tell(company), bridge.tell(alone)
    assert found[row] == own[0]
    for moved in (bridge.matched, bridge.judged):
        np.testing.assert_array_equal(
            moved(company, found).doubled_ranks[row], moved(alone, own).doubled_ranks[0]
        )


def test_sequenced_lines_rank_as_they_do_on_arrays(bridge: PlatformBridge) -> None:
    same = biology(4)
    sequenced, arrays = measured(Platform.RNA_SEQ, same), measured(Platform.RNA_SEQ, same, True)
    moved = bridge.matched(sequenced, bridge.tell(sequenced))
    before = np.abs((sequenced.doubled_ranks - arrays.doubled_ranks).mean(axis=0)).mean()
    after = np.abs((moved.doubled_ranks - arrays.doubled_ranks).mean(axis=0)).mean()
    assert after < 0.5 * before
    for own, there in zip(moved.doubled_ranks, arrays.doubled_ranks, strict=True):
        assert np.corrcoef(own, there)[0, 1] > 0.9


def test_the_way_back_leads_to_rna_seq() -> None:
    model = PlatformBridge.of(GENES, measured(Platform.RNA_SEQ, biology(5, 30)))
    same = biology(6)
    arrays, sequenced = measured(Platform.RNA_SEQ, same, True), measured(Platform.RNA_SEQ, same)
    found = model.tell(measured(Platform.ARRAY, same))
    assert model.bridged(found).all()
    moved = model.matched(arrays, found)
    for own, before, there in zip(
        moved.doubled_ranks, arrays.doubled_ranks, sequenced.doubled_ranks, strict=True
    ):
        assert np.corrcoef(own, there)[0, 1] > np.corrcoef(before, there)[0, 1] + 0.05


def test_what_no_sample_was_measured_by_twice_is_scored_as_it_is(bridge: PlatformBridge) -> None:
    older = measured(Platform.OLD_ARRAY_PATIENTS, biology(7))
    found = bridge.tell(older)
    assert not bridge.bridged(found).any()
    assert bridge.matched(older, found) is older
    assert (bridge.judged(older, found).doubled_ranks != older.doubled_ranks).any()


def test_missing_genes_stay_missing(bridge: PlatformBridge) -> None:
    values = measured(Platform.RNA_SEQ, biology(8)).values.copy()
    values[:, ::4] = np.nan
    ranked = RankedProfiles.of(values)
    found = bridge.tell(ranked)
    assert set(bridge.names(found)) == {Platform.RNA_SEQ}
    moved = bridge.matched(ranked, found)
    np.testing.assert_array_equal(moved.doubled_ranks < 0, np.isnan(values))


def test_too_few_known_genes_tell_nothing() -> None:
    few = np.append(GENES[:10], [f"GENE{number}" for number in range(90)])
    values = np.random.default_rng(9).normal(size=(5, 100))
    bridge = PlatformBridge.of(few, RankedProfiles.of(values))
    assert bridge.home is Platform.UNKNOWN
    assert not bridge.foreign(bridge.tell(RankedProfiles.of(values))).any()


def test_it_is_put_together_again_from_its_arrays(bridge: PlatformBridge) -> None:
    again = PlatformBridge.from_arrays(bridge.arrays(), len(GENES))
    sequenced = measured(Platform.RNA_SEQ, biology(10))
    found = again.tell(sequenced)
    np.testing.assert_array_equal(found, bridge.tell(sequenced))
    np.testing.assert_array_equal(
        again.matched(sequenced, found).doubled_ranks,
        bridge.matched(sequenced, found).doubled_ranks,
    )
    with pytest.raises(ValueError, match="has shape"):
        PlatformBridge.from_arrays(bridge.arrays(), 3)


def test_every_row_of_the_shipped_table_names_its_source() -> None:
    path: Path = shipped_path("reference", "platform_levels.csv.gz")
    table = pd.read_csv(path)
    assert table["source"].notna().all()
    assert set(table["platform"]) == set(KNOWN)
    assert not table.duplicated(["platform", "gene"]).any()
    assert (table["spread"] >= 0).all()
    agreement = table.groupby("platform")["agreement"].count()
    assert agreement[Platform.RNA_SEQ] > 5000
    assert agreement[Platform.OLD_ARRAY_PATIENTS] == 0
