"""Turn a labelled matrix into profiles: samples × approved genes on a log2 scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nkpredict.configuration import Orientation
from nkpredict.errors import InputError, name_some
from nkpredict.io._genes import approved_symbols
from nkpredict.io._units import Unit, detect_unit, refine_linear, to_log2
from nkpredict.io.expression._annotation import set_annotation_aside
from nkpredict.io.expression._genes_of import Approval, approve, one_column_each
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression._orientation import oriented
from nkpredict.io.expression._raw import RawMatrix
from nkpredict.types import AnyArray, BoolArray, FloatArray

# So many genes are not equal by chance.
MANY_GENES = 20


@dataclass(frozen=True, kw_only=True)
class Arranged:
    """Profiles in the package's form, and what was found on the way.

    Attributes
    ----------
    values : numpy.ndarray
        float32, samples × genes.
    genes
        Names of the genes; all of the approval, or those that were asked for.
    obs : pandas.DataFrame
        What the source says of the samples.
    looked_at : numpy.ndarray
        Some of the samples × all genes of the approval.
    orientation, unit, transform
        Told from the content or given.
    samples_aside, genes_aside, sums
        Annotation that was set aside; see `Aside`.
    empty_genes, empty_samples
        What was left out for want of any value.
    genes_in_file
        Names that stand for one column each.
    collapsed, other_duplicates
        See `Single`.
    approval
        What became of these names.
    missing, zeros
        How many values of all genes of the approval are missing, and how many 0.
    """

    values: FloatArray
    genes: list[str]
    obs: pd.DataFrame
    looked_at: FloatArray
    orientation: Orientation
    unit: Unit
    transform: str
    samples_aside: dict[str, str]
    genes_aside: tuple[str, ...]
    sums: int
    empty_genes: int
    empty_samples: tuple[str, ...]
    genes_in_file: int
    collapsed: int
    other_duplicates: int
    approval: Approval
    missing: int
    zeros: int


def arranged(raw: RawMatrix, options: ReadingOptions, unit: Unit | None, path: str) -> Arranged:
    """Arrange a matrix in memory.

    Parameters
    ----------
    raw
        As read.
    options
        What is known about it.
    unit
        Unit that the user named.
    path
        The file, for messages.

    Raises
    ------
    InputError
        As `nkpredict.read_expression`.
    """
    turned = oriented(raw, options.orientation, options.known, path)
    aside = set_annotation_aside(turned.values, frozenset(options.known))
    matrix, empty_genes, empty_samples = _with_values(aside.values, path)
    require_samples_once(matrix.index, path)
    constant = (matrix.max(axis=1) == matrix.min(axis=1)).to_numpy()
    require_varied(matrix.index[constant], matrix.shape[1], path)
    single = one_column_each(matrix, options.duplicates, options.known, path)
    values = np.ascontiguousarray(single.values.to_numpy(dtype=np.float32))
    genes = single.values.columns
    require_finite(np.isinf(values).sum(axis=0), genes, path)
    unit = unit or _detected(values, known_genes(genes, options), path)
    values, transform = to_log2(values, unit, path)
    approval = approval_of(genes, options, path)
    approved = approval.take(values, unit)
    return Arranged(
        values=approved,
        genes=approval.genes,
        obs=sample_table(turned.by_sample, aside.genes, matrix.index),
        looked_at=approved,
        orientation=turned.orientation,
        unit=unit,
        transform=transform,
        samples_aside=aside.samples,
        genes_aside=tuple(aside.genes),
        sums=aside.sums,
        empty_genes=empty_genes,
        empty_samples=empty_samples,
        genes_in_file=len(genes),
        collapsed=single.collapsed,
        other_duplicates=single.other_duplicates,
        approval=approval,
        missing=int(np.isnan(approved).sum()),
        zeros=int((approved == 0).sum()),
    )


def _with_values(values: pd.DataFrame, path: str) -> tuple[pd.DataFrame, int, tuple[str, ...]]:
    """Leave out genes and samples without any value."""
    present: BoolArray = values.notna().to_numpy()
    genes, samples = np.asarray(present.any(axis=0)), np.asarray(present.any(axis=1))
    require_values(samples, path)
    dropped = tuple(str(sample) for sample in values.index[~samples])
    if genes.all() and samples.all():
        return values, 0, ()
    return values.loc[samples].loc[:, genes], int((~genes).sum()), dropped


def _detected(values: FloatArray, known: BoolArray, path: str) -> Unit:
    # names that are no genes may be annotation: they have no say in the unit
    part = values[:, known] if known.any() and not known.all() else values
    detected = detect_unit(part if np.isfinite(part).any() else values, path)
    return refine_linear(values) if detected is Unit.LINEAR else detected


def known_genes(names: pd.Index, options: ReadingOptions) -> BoolArray:
    """Tell which names are those of genes."""
    return np.asarray(names.isin(approved_symbols() | set(options.known)))


def approval_of(names: pd.Index, options: ReadingOptions, path: str) -> Approval:
    """Bring the names of genes up to date.

    Raises
    ------
    InputError
        When none is that of a gene.
    """
    approval = approve(list(names), options.known)
    if not approval.genes:
        raise InputError(
            f"None of the {len(names):,} gene names of {path} is in the gene reference "
            f"({name_some(names)}); expected human gene symbols or Ensembl gene ids."
        )
    return approval


def require_values(samples: BoolArray, path: str) -> None:
    """Refuse profiles of which none holds a value."""
    if not samples.any():
        raise InputError(f"{path} holds no expression value; expected samples with numbers.")


def require_samples_once(samples: pd.Index, path: str) -> None:
    """Refuse samples that are there twice."""
    repeated = samples[samples.duplicated()].unique()
    if len(repeated):
        raise InputError(
            f"{path} has {len(repeated)} duplicate sample name{'s' if len(repeated) > 1 else ''} "
            f"({name_some(repeated)}); expected each once. Rename or merge them."
        )


def require_varied(constant: Iterable[object], genes: int, path: str) -> None:
    """Refuse samples in which every gene has the same value, so that none ranks above another."""
    names = list(constant)
    if names and genes >= MANY_GENES:
        raise InputError(
            f"{path} has {len(names)} sample{'s' if len(names) > 1 else ''} with one value for "
            f"every gene ({name_some(names)}); expected values that differ. Leave them out."
        )


def require_finite(infinite: AnyArray, names: pd.Index, path: str) -> None:
    """Refuse infinite values, of which so many were counted under each name."""
    genes = names[infinite > 0]
    if len(genes):
        raise InputError(
            f"{path} has {int(infinite.sum())} infinite values in {len(genes)} genes "
            f"({name_some(genes)}); expected finite numbers. A logarithm of 0 may be the cause: "
            "add a pseudocount."
        )


def sample_table(
    by_sample: pd.DataFrame, apart: dict[str, pd.Series], samples: pd.Index
) -> pd.DataFrame:
    """Return what the source says of the samples, and the columns that were set aside."""
    obs = by_sample.set_axis(by_sample.index.astype(str), axis=0)
    obs = obs.loc[~obs.index.duplicated()].reindex(samples)
    obs.columns = obs.columns.astype(str)
    obs = obs.loc[:, ~obs.columns.duplicated()]
    for label, column in apart.items():
        if label not in obs:
            obs[label] = column.reindex(samples).to_numpy()
    return obs
