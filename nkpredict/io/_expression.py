"""Read expression profiles from the files labs have, and say what was found in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from nkpredict.configuration import Orientation
from nkpredict.errors import InputError, name_some
from nkpredict.facts import AnnotationFacts, ExpressionFacts, ReadFacts
from nkpredict.io._facts import facts_of, record_facts
from nkpredict.io._genes import (
    GeneNames,
    approve_gene_names,
    gene_reference_source,
    recognised_share,
)
from nkpredict.io._simulated import all_simulated
from nkpredict.io._tables import OTHER_ENTRIES, read_labelled_matrix, read_text_table
from nkpredict.io._units import UNIT_WORDS, Unit, check_unit, detect_unit, refine_linear, to_log2
from nkpredict.io._writing import file_sha256, require_file
from nkpredict.types import FloatArray

if TYPE_CHECKING:
    from anndata import AnnData

# An axis is taken for the genes when at least this share of its labels is recognised and
# clearly more than on the other axis.
_RECOGNISED_ENOUGH = 0.3
_LABELS_LOOKED_AT = 5000


def read_expression(
    path: str | Path,
    *,
    obs: str | Path | None = None,
    orientation: Orientation = "auto",
    unit: str = "auto",
    layer: str | None = None,
) -> AnnData:
    """Read expression profiles and bring them into the package's form.

    Orientation, kind of gene identifier and unit are told from the content; what was found and
    done is recorded in ``adata.uns["nkpredict"]``. Every sample is treated by itself, so a sample
    read alone gets the same values as in its cohort.

    Parameters
    ----------
    path
        CSV or TSV (plain or gzip), Parquet, ``.h5ad`` or ``.zarr``.
    obs
        Optional table of sample annotations, first column = sample names.
    orientation
        ``"samples-by-genes"`` or ``"genes-by-samples"`` when it cannot or should not be detected.
    unit
        ``"counts"``, ``"tpm"``, ``"linear"``, ``"log2"``, ``"log2_intensity"`` or
        ``"standardised"`` when it should not be detected.
    layer
        Layer of an AnnData file to read in place of ``X``.

    Returns
    -------
    anndata.AnnData
        Samples × genes, float32 on a log2 scale, ``var_names`` = approved gene symbols.

    Raises
    ------
    InputError
        When the file is missing, empty, truncated, holds text, duplicates, genes without any
        value, negative counts, or when the genes cannot be told from the samples.
    """
    import anndata

    path = require_file(path, "expression matrix")
    if path.suffix.lower() in (".h5ad", ".zarr"):
        matrix, by_row, by_column = _read_anndata(path, layer)
    else:
        matrix = read_labelled_matrix(path, "expression matrix")
        by_row, by_column = pd.DataFrame(index=matrix.index), pd.DataFrame(index=matrix.columns)
    matrix, found_orientation = _orient(matrix, orientation, path)
    _check_labels(matrix, path)
    _check_values(matrix, path)

    values = np.ascontiguousarray(matrix.to_numpy(dtype=np.float32))
    if unit == "auto":
        detected = detect_unit(values, str(path))
        found_unit = refine_linear(values) if detected is Unit.LINEAR else detected
    else:
        found_unit = check_unit(unit)
    values, transform = to_log2(values, found_unit, str(path))
    approved = _approve(values, list(matrix.columns), found_unit)
    if not approved.genes:
        raise InputError(
            f"None of the {matrix.shape[1]:,} gene names of {path} is in the gene reference "
            f"({name_some(matrix.columns)}); expected human gene symbols or Ensembl gene ids."
        )

    adata = anndata.AnnData(
        X=approved.values,
        obs=by_column if found_orientation == "genes-by-samples" else by_row,
        var=pd.DataFrame(index=pd.Index(approved.genes, name="gene")),
    )
    adata.obs_names.name = "sample"
    expression = _facts(
        path,
        matrix,
        approved,
        orientation=found_orientation,
        orientation_given=orientation != "auto",
        unit=found_unit,
        unit_given=unit != "auto",
        transform=transform,
    )
    simulated = all_simulated(adata.obs_names)
    record_facts(adata, ReadFacts(expression=expression, simulated=simulated))
    if obs is not None:
        add_annotations(adata, obs)
    return adata


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


def _read_anndata(path: Path, layer: str | None) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    import anndata
    from scipy import sparse

    try:
        adata = anndata.read_zarr(path) if path.suffix == ".zarr" else anndata.read_h5ad(path)
    except Exception as error:  # h5py, zarr and anndata raise many kinds for a damaged file
        raise InputError(
            f"{path} is not a readable AnnData file ({str(error).splitlines()[0]}); it may be "
            "truncated. Copy or write it again."
        ) from error
    if layer is not None and layer not in adata.layers:
        raise InputError(
            f"{path} has no layer {layer!r}; it has {name_some(adata.layers.keys()) or 'none'}."
        )
    values = adata.X if layer is None else adata.layers[layer]
    if values is None:
        raise InputError(f"{path} has no X matrix; name a layer with the expression values.")
    dense = values.toarray() if sparse.issparse(values) else np.asarray(values)
    matrix = pd.DataFrame(
        dense.astype(np.float32, copy=False), index=adata.obs_names, columns=adata.var_names
    )
    return matrix, adata.obs, adata.var


def _orient(
    matrix: pd.DataFrame, orientation: Orientation, path: Path
) -> tuple[pd.DataFrame, Orientation]:
    if orientation == "auto":
        rows = recognised_share(matrix.index[:_LABELS_LOOKED_AT])
        columns = recognised_share(matrix.columns[:_LABELS_LOOKED_AT])
        if max(rows, columns) < _RECOGNISED_ENOUGH or abs(rows - columns) < 0.1:
            raise InputError(
                f"Could not tell genes from samples in {path}: {rows:.0%} of the row names "
                f"({name_some(matrix.index, 3)}) and {columns:.0%} of the column names "
                f"({name_some(matrix.columns, 3)}) are human gene names. Name the orientation "
                "(samples-by-genes or genes-by-samples)."
            )
        orientation = "genes-by-samples" if rows > columns else "samples-by-genes"
    return (matrix.T if orientation == "genes-by-samples" else matrix), orientation


def _check_labels(matrix: pd.DataFrame, path: Path) -> None:
    for labels, what in ((matrix.index, "sample name"), (matrix.columns, "gene symbol")):
        repeated = labels[labels.duplicated()].unique()
        if len(repeated):
            raise InputError(
                f"{path} has {len(repeated)} duplicate {what}{'s' if len(repeated) > 1 else ''} "
                f"({name_some(repeated)}); expected each once. Rename or merge them."
            )


def _check_values(matrix: pd.DataFrame, path: Path) -> None:
    values = matrix.to_numpy()
    infinite = int(np.isinf(values).sum())
    if infinite:
        genes = matrix.columns[np.isinf(values).any(axis=0)]
        raise InputError(
            f"{path} has {infinite} infinite values in {len(genes)} genes ({name_some(genes)}); "
            "expected finite numbers. A logarithm of 0 may be the cause: add a pseudocount."
        )
    absent = np.isnan(values)
    for empty, labels, what in (
        (absent.all(axis=0), matrix.columns, "gene"),
        (absent.all(axis=1), matrix.index, "sample"),
    ):
        if empty.any():
            count = int(empty.sum())
            raise InputError(
                f"{path} has {count} {what}{'s' if count > 1 else ''} without any value "
                f"({name_some(labels[empty])}); expected at least one number in each. Remove "
                f"{'them' if count > 1 else 'it'} from the file."
            )


class _Approved(NamedTuple):
    """Values under approved symbols, and what became of the names in the file."""

    values: FloatArray
    genes: list[str]
    names: GeneNames
    merged: tuple[str, ...]
    superseded: int


def _approve(values: FloatArray, names: Sequence[str], unit: Unit) -> _Approved:
    outcome = approve_gene_names(names)
    symbols = pd.Series(outcome.approved)
    # A column under its present name wins over one under an old name of the same gene.
    present_name = (symbols == pd.Series(names)).to_numpy()
    has_present = symbols.isin(set(symbols[present_name])).to_numpy()
    superseded = has_present & ~present_name & (symbols != "").to_numpy()
    if outcome.kind == "Ensembl id":
        superseded[:] = False
    named = np.flatnonzero((symbols != "").to_numpy() & ~superseded)
    groups = pd.Series(named).groupby(symbols.iloc[named].to_numpy(), sort=True).indices
    genes = list(groups)
    first = named[[positions[0] for positions in groups.values()]]
    merged_values = values[:, first]
    merged: list[str] = []
    for column, (gene, positions) in enumerate(groups.items()):
        if len(positions) > 1:
            merged.append(str(gene))
            merged_values[:, column] = _merge(values[:, named[positions]], unit)
    return _Approved(
        np.ascontiguousarray(merged_values),
        [str(gene) for gene in genes],
        outcome,
        tuple(merged),
        int(superseded.sum()),
    )


def _facts(
    path: Path,
    matrix: pd.DataFrame,
    approved: _Approved,
    *,
    orientation: Orientation,
    orientation_given: bool,
    unit: Unit,
    unit_given: bool,
    transform: str,
) -> ExpressionFacts:
    names, unknown = approved.names, sum(not symbol for symbol in approved.names.approved)
    return ExpressionFacts(
        file=path.name,
        sha256=file_sha256(path) if path.is_file() else "",
        samples=matrix.shape[0],
        orientation=orientation,
        orientation_given=orientation_given,
        identifiers=names.kind,
        gene_reference=gene_reference_source(),
        unit=unit.value,
        unit_words=UNIT_WORDS[unit],
        unit_given=unit_given,
        transform=transform,
        missing_values=int(np.isnan(approved.values).sum()),
        profiles_other_than_default_dropped=int(matrix.attrs.get(OTHER_ENTRIES, 0)),
        genes_in_file=matrix.shape[1],
        genes=len(approved.genes),
        genes_renamed=len(names.renamed),
        genes_renamed_examples=tuple(f"{a} -> {b}" for a, b in names.renamed.items())[:10],
        genes_restored_from_dates=len(names.dates),
        genes_without_symbol_dropped=unknown,
        genes_superseded_dropped=approved.superseded,
        genes_merged=len(approved.merged),
        genes_merged_examples=approved.merged[:10],
        gene_names_ambiguous=len(names.ambiguous),
        gene_names_ambiguous_examples=tuple(names.ambiguous[:10]),
        gene_names_unknown=len(names.unknown) - unknown,
    )


def _merge(columns: FloatArray, unit: Unit) -> FloatArray:
    # Several identifiers of one gene: reads add up, log intensities are averaged.
    if unit in (Unit.COUNTS, Unit.TPM, Unit.LINEAR):
        total: FloatArray = np.log2(1 + (np.exp2(columns) - 1).sum(axis=1))
    else:
        total = columns.mean(axis=1)
    return total.astype(np.float32)
