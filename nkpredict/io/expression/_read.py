"""Bring profiles of any source into the package's form, and say what was found in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nkpredict.configuration import Duplicates, Orientation
from nkpredict.errors import InputError, name_some
from nkpredict.facts import ExpressionFacts, ReadFacts
from nkpredict.io._facts import facts_of, record_facts
from nkpredict.io._genes import approved_symbols, gene_reference_source
from nkpredict.io._genetics import GENETICS, GENETICS_PREFIX
from nkpredict.io._simulated import all_simulated
from nkpredict.io._units import UNIT_WORDS, Unit, check_unit, detect_unit, refine_linear, to_log2
from nkpredict.io._writing import file_sha256
from nkpredict.io.expression._annotated import matrix_of_adata
from nkpredict.io.expression._annotation import Aside, set_annotation_aside
from nkpredict.io.expression._formats import IN_MEMORY, matrix_of_frame, read_raw
from nkpredict.io.expression._genes_of import Approved, Single, approve, one_column_each
from nkpredict.io.expression._kind import unlike_expression
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression._orientation import oriented
from nkpredict.io.expression._raw import RawMatrix
from nkpredict.io.expression._sample_annotations import add_annotations
from nkpredict.io.expression._single_cells import are_cells
from nkpredict.types import BoolArray, FloatArray

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
        raw, name, genetics = _raw(source, options)
        adata = _built(raw, name, check, options, source)
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
    raw: RawMatrix, name: str, given: Unit | None, options: ReadingOptions, source: Any
) -> AnnData:
    import anndata

    turned = oriented(raw, options.orientation, options.known, name)
    aside = set_annotation_aside(turned.values, frozenset(options.known))
    matrix, empty_genes, empty_samples = _with_values(aside.values, name)
    _check_samples(matrix, name)
    _check_varied(matrix, name)
    single = one_column_each(matrix, options.duplicates, options.known, name)
    values = np.ascontiguousarray(single.values.to_numpy(dtype=np.float32))
    _check_finite(values, single.values, name)
    genes = single.values.columns
    known = genes.isin(approved_symbols() | set(options.known))
    unit = given or _detected(values, known, name)
    values, transform = to_log2(values, unit, name)
    approved = approve(values, list(genes), unit, options.known)
    if not approved.genes:
        raise InputError(
            f"None of the {len(genes):,} gene names of {name} is in the gene reference "
            f"({name_some(genes)}); expected human gene symbols or Ensembl gene ids."
        )
    adata = anndata.AnnData(
        X=approved.values,
        obs=_obs(turned.by_sample, aside, matrix.index),
        var=pd.DataFrame(index=pd.Index(approved.genes, name="gene")),
    )
    adata.obs_names.name = "sample"
    simulated = all_simulated(adata.obs_names)
    path = Path(source) if isinstance(source, str | Path) else None
    facts = _facts(raw, approved, single, aside, unit=unit, transform=transform)
    facts = replace(
        facts,
        file=path.name if path is not None else name.removeprefix("The "),
        sha256=file_sha256(path) if path is not None and path.is_file() else "",
        orientation=turned.orientation,
        orientation_given=options.orientation != "auto",
        unit_given=given is not None,
        duplicates=options.duplicates,
        genes_without_value_dropped=empty_genes,
        samples_without_value_dropped=empty_samples,
        unlike_expression="" if simulated else unlike_expression(approved.values, approved.genes),
        single_cells=are_cells(adata.obs_names, float(np.mean(approved.values == 0))),
    )
    record_facts(adata, ReadFacts(expression=facts, simulated=simulated))
    return adata


def _with_values(values: pd.DataFrame, path: str) -> tuple[pd.DataFrame, int, tuple[str, ...]]:
    """Leave out genes and samples without any value."""
    present: BoolArray = values.notna().to_numpy()
    genes, samples = np.asarray(present.any(axis=0)), np.asarray(present.any(axis=1))
    if not samples.any():
        raise InputError(f"{path} holds no expression value; expected samples with numbers.")
    dropped = tuple(str(sample) for sample in values.index[~samples])
    if genes.all() and samples.all():
        return values, 0, ()
    return values.loc[samples].loc[:, genes], int((~genes).sum()), dropped


def _check_samples(matrix: pd.DataFrame, path: str) -> None:
    repeated = matrix.index[matrix.index.duplicated()].unique()
    if len(repeated):
        raise InputError(
            f"{path} has {len(repeated)} duplicate sample name{'s' if len(repeated) > 1 else ''} "
            f"({name_some(repeated)}); expected each once. Rename or merge them."
        )


def _check_varied(matrix: pd.DataFrame, path: str) -> None:
    """Refuse samples in which every gene has the same value, so that none ranks above another."""
    constant = matrix.index[(matrix.max(axis=1) == matrix.min(axis=1)).to_numpy()]
    if len(constant) and matrix.shape[1] >= _MANY_GENES:
        plural = "s" if len(constant) > 1 else ""
        raise InputError(
            f"{path} has {len(constant)} sample{plural} with one value for every gene "
            f"({name_some(constant)}); expected values that differ. Leave them out."
        )


def _check_finite(values: FloatArray, matrix: pd.DataFrame, path: str) -> None:
    infinite = np.isinf(values)
    if infinite.any():
        genes = matrix.columns[np.asarray(infinite.any(axis=0))]
        raise InputError(
            f"{path} has {int(infinite.sum())} infinite values in {len(genes)} genes "
            f"({name_some(genes)}); expected finite numbers. A logarithm of 0 may be the cause: "
            "add a pseudocount."
        )


def _detected(values: FloatArray, known: BoolArray, path: str) -> Unit:
    # names that are no genes may be annotation: they have no say in the unit
    part = values[:, known] if known.any() and not known.all() else values
    detected = detect_unit(part if np.isfinite(part).any() else values, path)
    return refine_linear(values) if detected is Unit.LINEAR else detected


def _obs(by_sample: pd.DataFrame, aside: Aside, samples: pd.Index) -> pd.DataFrame:
    obs = by_sample.set_axis(by_sample.index.astype(str), axis=0)
    obs = obs.loc[~obs.index.duplicated()].reindex(samples)
    obs.columns = obs.columns.astype(str)
    obs = obs.loc[:, ~obs.columns.duplicated()]
    for label, column in aside.genes.items():
        if label not in obs:
            obs[label] = column.reindex(samples).to_numpy()
    return obs


def _facts(
    raw: RawMatrix, approved: Approved, single: Single, aside: Aside, *, unit: Unit, transform: str
) -> ExpressionFacts:
    names, unknown = approved.names, sum(not symbol for symbol in approved.names.approved)
    apart = [f"{label} ({why})" for label, why in aside.samples.items()]
    apart += [f"{label} (an annotation of the samples by its name)" for label in aside.genes]
    return ExpressionFacts(
        file="",
        sha256="",
        samples=single.values.shape[0],
        orientation="",
        orientation_given=False,
        identifiers=names.kind,
        gene_reference=gene_reference_source(),
        unit=unit.value,
        unit_words=UNIT_WORDS[unit],
        unit_given=False,
        transform=transform,
        missing_values=int(np.isnan(approved.values).sum()),
        profiles_other_than_default_dropped=raw.other_entries,
        genes_in_file=single.values.shape[1],
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
        format=raw.format,
        values_from=raw.values_from,
        gene_names_from=raw.gene_names_from,
        annotation_set_aside=tuple(apart),
        summary_rows_set_aside=aside.sums,
        genes_duplicated_collapsed=single.collapsed,
        other_names_duplicated=single.other_duplicates,
        notes=raw.notes,
    )
