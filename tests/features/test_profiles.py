"""Profiles are checked once, where they enter, and matched by name from then on."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from nkpredict.errors import InputError
from nkpredict.features import Profiles, not_expression

TABLE = pd.DataFrame(
    [[1.0, 2.0, 3.0], [4.0, np.nan, 6.0]], index=["a", "b"], columns=["CD58", "HLA-E", "ICAM1"]
)


def test_every_way_in_gives_the_same_values() -> None:
    adata = anndata.AnnData(TABLE)
    for given_as in (TABLE, adata, TABLE.to_numpy()):
        profiles = Profiles.of(given_as)
        np.testing.assert_array_equal(profiles.values, TABLE.to_numpy())
        assert profiles.values.dtype == np.float64
        assert profiles.values.flags.c_contiguous
        assert Profiles.of(profiles) is profiles
    assert not Profiles.of(TABLE.to_numpy()).named
    pd.testing.assert_frame_equal(Profiles.of(TABLE).frame(), TABLE)


def test_genetics_of_an_anndata_follow_the_genes() -> None:
    adata = anndata.AnnData(TABLE)
    adata.obsm["genetics"] = pd.DataFrame({"TP53_mut": [0.0, 1.0]}, index=TABLE.index)
    profiles = Profiles.of(adata)
    assert list(profiles.genes) == [*TABLE, "genetics:TP53_mut"]
    assert not_expression(profiles.genes).tolist() == [False, False, False, True]
    assert not_expression(pd.Index(TABLE.columns)) is None


@given(st.permutations(["CD58", "HLA-E", "ICAM1", "NOT_THERE"]))
def test_genes_are_aligned_by_name_whatever_their_order(wanted: list[str]) -> None:
    aligned = Profiles.of(TABLE).aligned(np.array(wanted, dtype=object))
    pd.testing.assert_frame_equal(
        pd.DataFrame(aligned, TABLE.index, wanted), TABLE.reindex(columns=wanted)
    )
    assert aligned.flags.c_contiguous


def test_profiles_without_names_are_matched_by_position_or_refused() -> None:
    profiles = Profiles.of(TABLE.to_numpy())
    assert profiles.aligned(np.array(["x", "y", "z"])) is profiles.values
    with pytest.raises(InputError, match="3 features, but nkpredict is expecting 2"):
        profiles.aligned(np.array(["x", "y"]))
    with pytest.raises(InputError, match="None of the 3 genes given"):
        Profiles.of(TABLE).aligned(np.array(["MS4A1"]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (TABLE.assign(CD58=np.inf), "2 values are infinite"),
        (TABLE.assign(CD58="high"), "must be numbers"),
        (TABLE.set_axis(["CD58", "CD58", "ICAM1"], axis=1), r"1 gene names occur more .*CD58"),
        (TABLE.iloc[:0], r"0 sample\(s\)"),
        (TABLE.iloc[:, :0], r"0 feature\(s\)"),
        (TABLE.astype(complex), "Complex data"),
        (sparse.csr_matrix(TABLE.fillna(0).to_numpy()), "Sparse input"),
        (np.zeros(3), "1 dimension"),
    ],
)
def test_what_is_no_matrix_of_profiles_is_refused(wrong: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Profiles.of(wrong)


def test_responses_labels_and_weights_are_matched_by_sample() -> None:
    profiles = Profiles.of(anndata.AnnData(TABLE, obs=pd.DataFrame({"y": [1, 2]}, TABLE.index)))
    turned = pd.Series([20.0, 10.0], index=["b", "a"])
    assert profiles.target(turned).tolist() == [10, 20]
    assert profiles.target("y").tolist() == [1, 2]
    assert profiles.target([5, 6]).tolist() == [5, 6]
    assert profiles.weights(None) is None
    for wrong, message in (
        (turned.rename({"a": "z"}), r"1 samples have no response \(a\)"),
        ([1, 2, 3], "3 response values for 2 samples"),
        ([1, np.nan], "1 of 2 response values are NaN"),
        (["low", "high"], "must be numbers"),
        ("lineage", "no column 'lineage'"),
        (None, "requires y to be passed"),
        (np.zeros((2, 2)), "expected one value for each"),
    ):
        with pytest.raises(InputError, match=message):
            profiles.target(wrong)
    for weights in ([-1.0, 1.0], [0.0, 0.0]):
        with pytest.raises(InputError, match="must not be negative"):
            profiles.weights(weights)


def test_parts_keep_names_and_annotations() -> None:
    annotations = pd.DataFrame({"lineage": ["AML", "MM"]}, TABLE.index)
    profiles = Profiles.of(anndata.AnnData(TABLE[["ICAM1", "CD58", "HLA-E"]], obs=annotations))
    one = profiles.take_samples(np.array([1]))
    assert list(one.samples) == ["b"]
    assert one.labels("lineage", "lineage").tolist() == ["MM"]
    ordered = profiles.sorted_by_gene()
    assert list(ordered.genes) == ["CD58", "HLA-E", "ICAM1"]
    np.testing.assert_array_equal(ordered.values, TABLE.to_numpy())
