"""The one form of profiles: checked once where they enter, trusted below."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeAlias, Union

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.validation import column_or_1d

from nkpredict.errors import InputError, name_some
from nkpredict.io import GENETICS, GENETICS_PREFIX
from nkpredict.types import AnyArray, BoolArray, FloatArray, IndexArray

if TYPE_CHECKING:
    from anndata import AnnData

_MANY = 1024  # samples; set by hand
ProfilesLike: TypeAlias = Union[pd.DataFrame, "AnnData", AnyArray, "Profiles"]


@dataclass(frozen=True, eq=False, repr=False)
class Profiles:
    """Samples × genes, checked; what `Profiles.of` returns is taken as it is further down.

    Attributes
    ----------
    values : numpy.ndarray
        float64, samples × genes, one sample after the other in memory; NaN marks a missing value.
        float32 of many samples that are only looked at, see `as_read`.
    samples : pandas.Index
        Names of the samples.
    genes : pandas.Index
        Names of the genes, numbers when the source had none.
    named : bool
        Whether the source named its samples and genes; without names they are matched by position.
    annotations : pandas.DataFrame or None
        The columns of ``AnnData.obs``, which a response or a lineage may be named after.
    """

    values: FloatArray
    samples: pd.Index
    genes: pd.Index
    named: bool = True
    annotations: pd.DataFrame | None = None

    @classmethod
    def of(cls, X: ProfilesLike) -> Profiles:
        """Check profiles and bring them into this form.

        Parameters
        ----------
        X
            DataFrame or AnnData of samples × genes, or an array of the same shape. Columns of
            ``obsm["genetics"]`` follow the genes, with ``genetics:`` before their names. Profiles
            are returned as they are.

        Raises
        ------
        InputError
            When values are not numbers, infinite, or names are missing or repeated.
        """
        return X if isinstance(X, Profiles) else _checked(X)

    @classmethod
    def as_read(cls, X: ProfilesLike) -> Profiles:
        """Check profiles to be looked at; of many, float32 is kept, which takes half the memory.

        What learns from profiles takes them by `of`, in full precision.
        """
        return X if isinstance(X, Profiles) else _checked(X, narrow=True)

    @classmethod
    def unnamed(cls, values: FloatArray) -> Self:
        """Wrap values that were made of checked profiles, in the order their reader expects."""
        samples, genes = (pd.RangeIndex(length) for length in values.shape)
        return cls(values, samples, genes, named=False)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.values)

    def __repr__(self) -> str:
        """Tell the size."""
        return f"Profiles({len(self.samples):,} samples × {len(self.genes):,} genes)"

    def aligned(self, genes: AnyArray | pd.Index) -> FloatArray:
        """Return the values in the gene order of a fitted estimator.

        Parameters
        ----------
        genes
            Genes of the estimator.

        Returns
        -------
        numpy.ndarray
            float64, samples × ``len(genes)``; genes that the profiles lack are NaN. Profiles
            without names are matched by position.

        Raises
        ------
        InputError
            When no gene of the estimator is among the profiles, or the number of columns without
            names differs.
        """
        if not self.named:
            if self.values.shape[1] != len(genes):
                raise InputError(
                    f"X has {self.values.shape[1]} features, but nkpredict is expecting "
                    f"{len(genes)} features as input, because an array is matched by position; "
                    "give a DataFrame with gene symbols as columns instead."
                )
            return self.values
        if self.genes.equals(pd.Index(genes)):
            return self.values
        found = self.genes.get_indexer(pd.Index(genes))
        if not (found >= 0).any():
            raise InputError(
                f"None of the {len(self.genes):,} genes given ({name_some(self.genes, 3)}) is "
                f"among the {len(genes):,} genes of the model ({name_some(genes, 3)}); expected "
                "columns named by gene symbol. Check the identifiers and the orientation."
            )
        aligned = self.values.take(found, axis=1)
        aligned[:, found < 0] = np.nan
        return aligned

    def take_samples(self, rows: IndexArray | BoolArray) -> Self:
        """Return some of the samples."""
        annotations = None if self.annotations is None else self.annotations.iloc[rows]
        return replace(
            self, values=self.values[rows], samples=self.samples[rows], annotations=annotations
        )

    def take_genes(self, columns: IndexArray | BoolArray) -> Self:
        """Return some of the genes, or all in another order."""
        values = np.ascontiguousarray(self.values[:, columns])
        return replace(self, values=values, genes=self.genes[columns])

    def sorted_by_gene(self) -> Self:
        """Return the genes in sorted order, so that nothing depends on the order of a file."""
        return self.take_genes(np.asarray(self.genes.argsort(), dtype=np.intp))

    def frame(self) -> pd.DataFrame:
        """Return samples × genes as a table."""
        return pd.DataFrame(self.values, index=self.samples, columns=self.genes)

    def target(self, y: Any, what: str = "response") -> FloatArray:
        """Return one number a sample, matched by name where both have names.

        Parameters
        ----------
        y
            Array or Series of length n samples, or the name of a column of the annotations.
        what
            How to call it in messages.

        Returns
        -------
        numpy.ndarray
            float64, shape (n samples,).

        Raises
        ------
        InputError
            When lengths or names differ, or a value is missing or infinite.
        """
        values = self.labels(y, what)
        try:
            target = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"The {what} must be numbers: {error}.") from error
        if not np.isfinite(target).all():
            raise InputError(
                f"{int((~np.isfinite(target)).sum())} of {len(target)} {what} values are NaN or "
                "infinite; expected a finite number for every sample. Drop these samples."
            )
        return target

    def weights(self, sample_weight: Any) -> FloatArray | None:
        """Return the weights of the samples, or None when none are given.

        Raises
        ------
        InputError
            When a weight is negative or not finite, or all are zero.
        """
        if sample_weight is None:
            return None
        weights = self.target(sample_weight, "sample weight")
        if (weights < 0).any() or weights.sum() == 0:
            raise InputError("Sample weights must not be negative, nor must every weight be zero.")
        return weights

    def labels(self, y: Any, what: str) -> AnyArray:
        """Return one label a sample, matched by name where both have names; see `target`."""
        if isinstance(y, str):
            if self.annotations is None or y not in self.annotations:
                raise InputError(f"There is no column {y!r} in the sample annotations (obs).")
            return np.asarray(self.annotations[y])
        if y is None:
            raise InputError(
                f"The {what} is missing: requires y to be passed, but the target y is None."
            )
        count = len(self)
        if not isinstance(y, pd.Series):
            y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1 and what == "response":
            y = column_or_1d(y, warn=True)
        if y.ndim != 1:
            raise InputError(
                f"The {what} has shape {y.shape}; expected one value for each of {count} samples."
            )
        if len(y) != count:
            raise InputError(f"Found {len(y)} {what} values for {count} samples; expected as many.")
        both_named = isinstance(y, pd.Series) and not isinstance(y.index, pd.RangeIndex)
        if both_named and self.named and not y.index.equals(self.samples):
            absent = self.samples.difference(y.index)
            if len(absent):
                raise InputError(
                    f"{len(absent)} samples have no {what} ({name_some(absent)}); expected the "
                    "same sample names on both."
                )
            y = y.loc[self.samples]
        return np.asarray(y)

    def remember_names(self, estimator: Any) -> None:
        """Store number and names of the genes on an estimator, as scikit-learn does."""
        estimator.n_features_in_ = len(self.genes)
        if self.named:
            estimator.feature_names_in_ = np.asarray(self.genes, dtype=object)
        elif hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_


def not_expression(names: AnyArray | pd.Index) -> BoolArray | None:
    """Tell which features are genetics and not expression, None when there are none."""
    mask = np.array([str(name).startswith(GENETICS_PREFIX) for name in names])
    return mask if mask.any() else None


def _checked(X: ProfilesLike, narrow: bool = False) -> Profiles:
    annotations = getattr(X, "obs", None)
    named = isinstance(X, pd.DataFrame) or hasattr(X, "obs_names")
    frame = _table(X)
    repeated = frame.columns[frame.columns.duplicated()].unique()
    if len(repeated):
        raise InputError(
            f"{len(repeated)} gene names occur more than once ({name_some(repeated)}); expected "
            "every gene once."
        )
    if len(frame) == 0:
        raise InputError(
            f"Found 0 sample(s) (shape=(0, {frame.shape[1]})) while a minimum of 1 is required."
        )
    if frame.shape[1] == 0:
        raise InputError(
            f"Found 0 feature(s) (shape=({len(frame)}, 0)) while a minimum of 1 is required."
        )
    if any(pd.api.types.is_complex_dtype(dtype) for dtype in set(frame.dtypes)):
        raise InputError("Complex data not supported: expression values must be real numbers.")
    as_read = narrow and len(frame) > _MANY and set(frame.dtypes) == {np.dtype(np.float32)}
    try:
        values = np.ascontiguousarray(frame.to_numpy(np.float32 if as_read else np.float64))
    except (TypeError, ValueError) as error:
        raise InputError(f"Expression values must be numbers: {error}.") from error
    if np.isinf(values).any():
        raise InputError(
            f"{int(np.isinf(values).sum())} values are infinite; expected finite numbers or NaN."
        )
    return Profiles(values, frame.index, frame.columns, named, annotations if named else None)


def _table(X: ProfilesLike) -> pd.DataFrame:
    if isinstance(X, pd.DataFrame):
        return X
    if not isinstance(X, np.ndarray) and hasattr(X, "obs_names"):
        return _with_genetics(X)
    if sparse.issparse(X):
        raise InputError(
            "Sparse input is not supported: profiles are dense; give X.toarray() instead."
        )
    array = np.asarray(X)
    if array.ndim != 2:
        raise InputError(
            f"Found an array of {array.ndim} dimension(s); expected samples × genes (2D). Reshape "
            "your data: reshape(1, -1) for one sample, reshape(-1, 1) for one gene."
        )
    return pd.DataFrame(array)


def _with_genetics(adata: AnnData) -> pd.DataFrame:
    genes: pd.DataFrame = adata.to_df()
    genetics: pd.DataFrame | None = adata.obsm.get(GENETICS)
    if genetics is None:
        return genes
    return pd.concat([genes, genetics.add_prefix(GENETICS_PREFIX)], axis=1)
