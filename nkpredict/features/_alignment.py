"""One checker for what enters an estimator: names remembered at fit, matched by name later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
import pandas as pd
from scipy import sparse

from nkpredict.errors import InputError, name_some
from nkpredict.io import GENETICS, GENETICS_PREFIX

if TYPE_CHECKING:
    from anndata import AnnData

Profiles: TypeAlias = Union[pd.DataFrame, "AnnData", np.ndarray]


def to_frame(X: Profiles, names: np.ndarray | None = None) -> pd.DataFrame:
    """Return profiles as a float64 table of samples × genes.

    Parameters
    ----------
    X
        DataFrame or AnnData of samples × genes, or an array of the same shape. Columns of
        ``obsm["genetics"]`` follow the genes, with ``genetics:`` before their names.
    names
        Gene names for an array; ``None`` numbers its columns.

    Returns
    -------
    pandas.DataFrame
        Samples × genes; NaN marks a missing value.

    Raises
    ------
    InputError
        When values are not numbers, infinite, or names are missing or repeated.
    """
    if isinstance(X, pd.DataFrame):
        frame = X
    elif not isinstance(X, np.ndarray) and hasattr(X, "obs_names"):
        frame = _with_genetics(X)
    else:
        if sparse.issparse(X):
            raise InputError(
                "Sparse input is not supported: profiles are dense; give X.toarray() instead."
            )
        array = np.asarray(X)
        if array.ndim != 2:
            raise InputError(
                f"Found an array of {array.ndim} dimension(s); expected samples × genes "
                "(2D). Reshape your data: reshape(1, -1) for one sample, reshape(-1, 1) for one "
                "gene."
            )
        if names is not None and array.shape[1] != len(names):
            raise InputError(
                f"X has {array.shape[1]} features, but nkpredict is expecting {len(names)} "
                "features as input, because an array is matched by position; give a DataFrame "
                "with gene symbols as columns instead."
            )
        columns = pd.RangeIndex(array.shape[1]) if names is None else pd.Index(names)
        frame = pd.DataFrame(array, columns=columns)
    repeated = frame.columns[frame.columns.duplicated()].unique()
    if len(repeated):
        raise InputError(
            f"{len(repeated)} gene names occur more than once ({name_some(repeated)}); expected "
            "every gene once."
        )
    if frame.shape[1] == 0:
        raise InputError(
            f"Found 0 feature(s) (shape=({len(frame)}, 0)) while a minimum of 1 is required."
        )
    if any(pd.api.types.is_complex_dtype(dtype) for dtype in set(frame.dtypes)):
        raise InputError("Complex data not supported: expression values must be real numbers.")
    try:
        values = frame.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"Expression values must be numbers: {error}.") from error
    if np.isinf(values).any():
        raise InputError(
            f"{int(np.isinf(values).sum())} values are infinite; expected finite numbers or NaN."
        )
    return pd.DataFrame(values, index=frame.index, columns=frame.columns)


def _with_genetics(adata: AnnData) -> pd.DataFrame:
    genes = adata.to_df()
    genetics = adata.obsm.get(GENETICS)
    if genetics is None:
        return genes
    return pd.concat([genes, genetics.add_prefix(GENETICS_PREFIX)], axis=1)


def not_expression(names: np.ndarray | pd.Index) -> np.ndarray | None:
    """Tell which features are genetics and not expression, None when there are none."""
    mask = np.array([str(name).startswith(GENETICS_PREFIX) for name in names])
    return mask if mask.any() else None


def align_to(X: Profiles, genes: np.ndarray) -> np.ndarray:
    """Bring profiles into the gene order of a fitted estimator, by name.

    Parameters
    ----------
    X
        Profiles whose columns are gene symbols in any order, or an array in the fitted order.
    genes
        Genes of the fitted estimator.

    Returns
    -------
    numpy.ndarray
        float64, samples × ``len(genes)``, one row after the other in memory, so that sums over
        the genes of a sample never depend on the layout of ``X``; genes that are not in ``X``
        are NaN.

    Raises
    ------
    InputError
        When no gene of the estimator is in ``X``.
    """
    if not isinstance(X, pd.DataFrame) and not hasattr(X, "obs_names"):
        return np.ascontiguousarray(to_frame(X, names=genes).to_numpy())
    frame = to_frame(X)
    shared = frame.columns.isin(genes)
    if not shared.any():
        raise InputError(
            f"None of the {frame.shape[1]:,} genes given ({name_some(frame.columns, 3)}) is among "
            f"the {len(genes):,} genes of the model ({name_some(genes, 3)}); expected columns "
            "named by gene symbol. Check the identifiers and the orientation."
        )
    return np.ascontiguousarray(frame.reindex(columns=pd.Index(genes)).to_numpy())


def to_weights(sample_weight: Any, X: Profiles) -> np.ndarray | None:
    """Return the weights of the samples, or None when none are given.

    Raises
    ------
    InputError
        When a weight is negative or not finite, or all are zero.
    """
    if sample_weight is None:
        return None
    weights = to_target(sample_weight, X, "sample weight")
    if (weights < 0).any() or weights.sum() == 0:
        raise InputError("Sample weights must not be negative, nor must every weight be zero.")
    return weights


def to_target(y: Any, X: Profiles, what: str = "response") -> np.ndarray:
    """Return one number a sample, matched to the profiles by name where both have names.

    Parameters
    ----------
    y
        Array or Series of length n samples, or the name of a column of ``X.obs``.
    X
        The profiles.
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
    values = to_labels(y, X, what)
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


def to_labels(y: Any, X: Profiles, what: str) -> np.ndarray:
    """Return one label a sample, matched by name where both have names; see `to_target`."""
    names = X.index if isinstance(X, pd.DataFrame) else getattr(X, "obs_names", None)
    if isinstance(y, str):
        if not hasattr(X, "obs") or y not in X.obs:
            raise InputError(f"There is no column {y!r} in the sample annotations (obs).")
        return X.obs[y].to_numpy()
    if y is None:
        raise InputError(
            f"The {what} is missing: requires y to be passed, but the target y is None."
        )
    n_samples = len(names) if names is not None else np.asarray(X).shape[0]
    if not isinstance(y, pd.Series):
        y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1 and what == "response":
        y = y.ravel()
    if y.ndim != 1:
        raise InputError(
            f"The {what} has shape {y.shape}; expected one value for each of {n_samples} samples."
        )
    if len(y) != n_samples:
        raise InputError(f"Found {len(y)} {what} values for {n_samples} samples; expected as many.")
    named = isinstance(y, pd.Series) and not isinstance(y.index, pd.RangeIndex)
    if named and names is not None and not y.index.equals(names):
        absent = names.difference(y.index)
        if len(absent):
            raise InputError(
                f"{len(absent)} samples have no {what} ({name_some(absent)}); expected the same "
                "sample names on both."
            )
        y = y.loc[names]
    return np.asarray(y)


def remember_names(estimator: Any, X: Profiles, frame: pd.DataFrame) -> None:
    """Store the gene names on an estimator when the profiles had names, as scikit-learn does."""
    if isinstance(X, pd.DataFrame) or hasattr(X, "obs_names"):
        estimator.feature_names_in_ = np.asarray(frame.columns, dtype=object)
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_
