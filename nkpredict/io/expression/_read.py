"""Bring profiles of any source into the package's form, and say what was found in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nkpredict.configuration import Duplicates, Orientation
from nkpredict.errors import InputError
from nkpredict.facts import ExpressionFacts, ReadFacts
from nkpredict.io._facts import facts_of, record_facts
from nkpredict.io._genes import gene_reference_source
from nkpredict.io._genetics import GENETICS, GENETICS_PREFIX
from nkpredict.io._simulated import all_simulated
from nkpredict.io._units import UNIT_WORDS, Unit, check_unit
from nkpredict.io._writing import file_sha256
from nkpredict.io.expression._annotated import matrix_of_adata
from nkpredict.io.expression._arranged import Arranged, arranged
from nkpredict.io.expression._formats import IN_MEMORY, matrix_of_frame, open_large, read_raw
from nkpredict.io.expression._kind import unlike_expression
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression._raw import RawMatrix
from nkpredict.io.expression._sample_annotations import add_annotations
from nkpredict.io.expression._single_cells import are_cells
from nkpredict.io.expression.large import NotPlainError, arranged_in_blocks

if TYPE_CHECKING:
    from anndata import AnnData

# So many genes are not equal by chance.
_MANY_GENES = 20


def read_expression(
    path: str | Path,
    *,
    obs: str | Path | None = None,
    orientation: Orientation = "auto",
    unit: str = "auto",
    layer: str | None = None,
    var_column: str | None = None,
    duplicates: Duplicates | None = None,
) -> AnnData:
    """Read expression profiles and bring them into the package's form.

    Format, orientation, kind of gene identifier and unit are told from the content; what was found
    and done is recorded in ``adata.uns["nkpredict"]``. Every sample is treated by itself, so a
    sample read alone gets the same values as in its cohort.

    Parameters
    ----------
    path
        Delimited text in any encoding (plain, gzip, bzip2, xz, zip), GCT, workbook (xlsx, xls,
        ods), Parquet, Feather, AnnData (``.h5ad``, ``.zarr``), loom, 10x Genomics (folder with
        ``matrix.mtx``, HDF5), tables of STAR, RSEM, featureCounts, Salmon and alike.
    obs
        Optional table of sample annotations, first column = sample names.
    orientation
        ``"samples-by-genes"`` or ``"genes-by-samples"`` when it cannot or should not be detected.
    unit
        ``"counts"``, ``"tpm"``, ``"linear"``, ``"log2"``, ``"log2_intensity"`` or
        ``"standardised"`` when it should not be detected.
    layer
        Layer of an AnnData or loom file to read in place of ``X``; ``"raw"`` is ``.raw``. Without
        it ``.raw`` or a layer of counts is taken where ``X`` has negative values.
    var_column
        Column of an AnnData's ``var`` with the names of the genes.
    duplicates
        ``"mean"``, ``"max"`` or ``"first"`` of genes that are there more than once.

    Returns
    -------
    anndata.AnnData
        Samples × genes, float32 on a log2 scale, ``var_names`` = approved gene symbols.

    Raises
    ------
    InputError
        When the file is missing, empty, truncated, holds text among numbers, duplicates, negative
        counts, identifiers that are no human genes, or when the genes cannot be told from the
        samples.
    """
    return read_profiles(
        path,
        ReadingOptions(
            obs=obs,
            orientation=orientation,
            unit=unit,
            layer=layer,
            var_column=var_column,
            duplicates=duplicates,
        ),
    )


def read_profiles(
    source: str | Path | pd.DataFrame | AnnData, options: ReadingOptions | None = None
) -> AnnData:
    """Bring profiles of any source into the package's form, by one way for all.

    Parameters
    ----------
    source
        File or folder (see `read_expression`), DataFrame in either orientation, or AnnData in
        memory or backed. Columns named ``genetics:NAME`` and ``obsm["genetics"]`` are kept. What
        `read_expression` returned is taken as it is.
    options
        What is known about it.

    Returns
    -------
    anndata.AnnData
        As `read_expression` returns it.

    Raises
    ------
    InputError
        As `read_expression`.
    """
    options = options or ReadingOptions()
    check = None if options.unit == "auto" else check_unit(options.unit)
    given: Any = source
    if hasattr(given, "obs_names") and _was_read(given, options):
        adata = given.copy()
    else:
        raw, found, name, genetics = _arranged(source, options, check)
        adata = _built(found, raw, name, options, source)
        if genetics is not None:
            adata.obsm[GENETICS] = genetics.reindex(adata.obs_names).astype(float)
    if options.obs is not None:
        add_annotations(adata, options.obs)
    return adata


def _was_read(adata: Any, options: ReadingOptions) -> bool:
    plain = (options.orientation, options.unit) == ("auto", "auto")
    unsaid = options.layer is None and options.var_column is None
    return (
        plain
        and unsaid
        and facts_of(adata).expression is not None
        and not (adata.isbacked or adata.X is None or _lowest(adata.X) < 0)
    )


def _lowest(values: Any) -> float:
    stored = values.data if hasattr(values, "indptr") else np.asarray(values)
    return float(np.nanmin(stored)) if stored.size else 0.0


def _arranged(
    source: Any, options: ReadingOptions, unit: Unit | None
) -> tuple[RawMatrix, Arranged, str, pd.DataFrame | None]:
    """Arrange a source, in blocks where it is large and only a model's genes are wanted."""
    if isinstance(source, str | Path) and options.known_alone:
        path = _require_source(Path(source))
        try:
            large = open_large(path, options)
            return large.raw, arranged_in_blocks(large, options, unit, str(path)), str(path), None
        except NotPlainError:
            pass  # what is small or unusual is read as a whole
    raw, name, genetics = _raw(source, options)
    return raw, arranged(raw, options, unit, name), name, genetics


def _raw(source: Any, options: ReadingOptions) -> tuple[RawMatrix, str, pd.DataFrame | None]:
    """Return the matrix of a source, how to call it, and genetics that came with it."""
    if isinstance(source, str | Path):
        path = _require_source(Path(source))
        return read_raw(path, options), str(path), None
    if isinstance(source, pd.DataFrame):
        other = source.columns.astype(str).str.startswith(GENETICS_PREFIX)
        genetics = None
        if other.any():
            genetics = source.loc[:, other].rename(
                columns=lambda name: str(name).removeprefix(GENETICS_PREFIX)
            )
            genetics.index = genetics.index.astype(str)
        return matrix_of_frame(source.loc[:, ~other], IN_MEMORY, options), IN_MEMORY, genetics
    name = "The AnnData"
    raw = matrix_of_adata(source, name, options.layer, options.var_column, options.known)
    genetics = source.obsm.get(GENETICS)
    return raw, name, genetics


def _require_source(path: Path) -> Path:
    if not path.exists():
        raise InputError(f"There is no file {path}; expected expression profiles. Check the path.")
    if path.is_file() and path.stat().st_size == 0:
        raise InputError(
            f"{path} is empty (0 bytes); expected expression profiles. Export it again."
        )
    return path


def _built(
    found: Arranged, raw: RawMatrix, name: str, options: ReadingOptions, source: Any
) -> AnnData:
    import anndata

    adata = anndata.AnnData(
        X=found.values,
        obs=found.obs,
        var=pd.DataFrame(index=pd.Index(found.genes, name="gene")),
    )
    adata.obs_names.name = "sample"
    simulated = all_simulated(adata.obs_names)
    path = Path(source) if isinstance(source, str | Path) else None
    genes = found.approval.genes
    facts = replace(
        _facts(raw, found),
        file=path.name if path is not None else name.removeprefix("The "),
        sha256=file_sha256(path) if path is not None and path.is_file() else "",
        orientation_given=options.orientation != "auto",
        unit_given=options.unit != "auto",
        duplicates=options.duplicates,
        unlike_expression="" if simulated else unlike_expression(found.looked_at, genes),
        single_cells=are_cells(adata.obs_names, found.zeros / (len(found.obs) * len(genes))),
    )
    record_facts(adata, ReadFacts(expression=facts, simulated=simulated))
    return adata


def _facts(raw: RawMatrix, found: Arranged) -> ExpressionFacts:
    approval, names = found.approval, found.approval.names
    unknown = sum(not symbol for symbol in names.approved)
    apart = [f"{label} ({why})" for label, why in found.samples_aside.items()]
    apart += [f"{label} (an annotation of the samples by its name)" for label in found.genes_aside]
    return ExpressionFacts(
        file="",
        sha256="",
        samples=len(found.obs),
        orientation=found.orientation,
        orientation_given=False,
        identifiers=names.kind,
        gene_reference=gene_reference_source(),
        unit=found.unit.value,
        unit_words=UNIT_WORDS[found.unit],
        unit_given=False,
        transform=found.transform,
        missing_values=found.missing,
        profiles_other_than_default_dropped=raw.other_entries,
        genes_in_file=found.genes_in_file,
        genes=len(approval.genes),
        genes_renamed=len(names.renamed),
        genes_renamed_examples=tuple(f"{a} -> {b}" for a, b in names.renamed.items())[:10],
        genes_restored_from_dates=len(names.dates),
        genes_without_symbol_dropped=unknown,
        genes_superseded_dropped=approval.superseded,
        genes_merged=len(approval.merged),
        genes_merged_examples=approval.merged[:10],
        gene_names_ambiguous=len(names.ambiguous),
        gene_names_ambiguous_examples=tuple(names.ambiguous[:10]),
        gene_names_unknown=len(names.unknown) - unknown,
        format=raw.format,
        values_from=raw.values_from,
        gene_names_from=raw.gene_names_from,
        annotation_set_aside=tuple(apart),
        summary_rows_set_aside=found.sums,
        genes_duplicated_collapsed=found.collapsed,
        other_names_duplicated=found.other_duplicates,
        genes_without_value_dropped=found.empty_genes,
        samples_without_value_dropped=found.empty_samples,
        notes=raw.notes,
    )
