"""Genetics of the samples: mutation, copy-number or subtype columns beside the expression."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.facts import GeneticsFacts
from nkpredict.io._facts import facts_of, record_facts
from nkpredict.io._tables import read_labelled_matrix
from nkpredict.io._writing import file_sha256

if TYPE_CHECKING:
    from anndata import AnnData

GENETICS = "genetics"
"""Key of ``obsm`` that holds the columns."""
GENETICS_PREFIX = "genetics:"
"""Beginning of their names among the features of a model."""


def add_genetics(adata: AnnData, path: str | Path) -> None:
    """Read genetics and keep them in ``adata.obsm["genetics"]``; samples may be missing.

    Parameters
    ----------
    adata
        Profiles; changed in place.
    path
        Samples × features, numbers (such as 0 and 1 for a mutation), first column the sample
        names. A sample that is not in the file has NaN in every column, which models take for the
        average.

    Raises
    ------
    InputError
        When the file cannot be read, names occur twice, or it has none of the samples.
    """
    table = read_labelled_matrix(path, "genetics, samples × features")
    for what, names in (("samples", table.index), ("features", table.columns)):
        if names.has_duplicates:
            repeated = names[names.duplicated()].unique()
            raise InputError(
                f"{path} has {len(repeated)} {what} more than once ({name_some(repeated)}); "
                "expected one row for each sample and one column for each feature."
            )
    found = adata.obs_names.isin(table.index)
    if not found.any():
        raise InputError(
            f"{path} has none of the {adata.n_obs} samples (it has {name_some(table.index, 3)}; "
            f"the expression has {name_some(adata.obs_names, 3)}); expected the same sample names."
        )
    table = table.reindex(adata.obs_names).astype(float)
    adata.obsm[GENETICS] = pd.DataFrame(table.set_axis(table.columns.astype(str), axis=1))
    genetics = GeneticsFacts(
        file=Path(path).name,
        sha256=file_sha256(path),
        features=table.shape[1],
        samples_with_genetics=int(found.sum()),
        samples_without_genetics=int((~found).sum()),
    )
    record_facts(adata, replace(facts_of(adata), genetics=genetics))
