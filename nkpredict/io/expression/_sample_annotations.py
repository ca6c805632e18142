"""Join a table of sample annotations to profiles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.facts import AnnotationFacts
from nkpredict.io._facts import facts_of, record_facts
from nkpredict.io._tables import read_text_table
from nkpredict.io._writing import file_sha256

if TYPE_CHECKING:
    from anndata import AnnData


def add_annotations(adata: AnnData, path: str | Path) -> None:
    """Join a table of sample annotations to ``adata.obs`` by sample name.

    Parameters
    ----------
    adata
        Profiles; changed in place.
    path
        Table whose first column names the samples.

    Raises
    ------
    InputError
        When no sample name is found in the table, or one is there twice.
    """
    table = read_text_table(path, "table of sample annotations")
    names = table.iloc[:, 0].astype(str).str.strip()
    if not names.isin(adata.obs_names).any():
        # Numbers such as 01005 lose their zero when a table is parsed; read them as text.
        text = read_text_table(path, "table of sample annotations", as_text=True)
        names = text.iloc[:, 0].str.strip()
    table = table.iloc[:, 1:].set_axis(pd.Index(names, name="sample"), axis=0)
    repeated = table.index[table.index.duplicated()].unique()
    if len(repeated):
        raise InputError(
            f"{path} names {len(repeated)} samples more than once ({name_some(repeated)}); "
            "expected one row a sample."
        )
    known = table.index.isin(adata.obs_names)
    if not known.any():
        raise InputError(
            f"None of the {len(table)} samples of {path} ({name_some(table.index, 3)}) is in the "
            f"expression ({name_some(adata.obs_names, 3)}); expected the first column to hold the "
            "same sample names."
        )
    new = table.reindex(adata.obs_names)
    for column in new.columns:
        adata.obs[str(column)] = new[column].to_numpy()
    annotations = AnnotationFacts(
        file=Path(path).name,
        sha256=file_sha256(path),
        samples_matched=int(known.sum()),
        samples_without_annotation=int(adata.n_obs - known.sum()),
    )
    record_facts(adata, replace(facts_of(adata), annotations=annotations))
