"""Levels of genes on each platform of the reference, and which one a profile resembles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nkpredict.features import SparseProfiles, divisor
from nkpredict.learn.learners._base import LearnerState
from nkpredict.types import AnyArray, BoolArray, FloatArray, IndexArray


@dataclass(frozen=True, eq=False)
class PlatformScales:
    """Mean and spread of each gene on each platform.

    Platforms read the same gene at different levels: profiles are compared with the reference of
    the platform whose mean profile they are most correlated with, each profile by itself.

    Attributes
    ----------
    platforms : numpy.ndarray
        Names.
    means, spreads : numpy.ndarray
        Platforms × genes, NaN where a platform lacks a gene; the spread of a constant gene is
        infinite. Groups of samples count alike.
    """

    platforms: npt.NDArray[np.str_]
    means: FloatArray
    spreads: FloatArray

    @classmethod
    def of(cls, values: FloatArray, platform: npt.NDArray[Any], group: npt.NDArray[Any]) -> Self:
        """Learn from samples × genes, NaN for missing; a gene needs a value in every sample."""
        names = np.unique(platform.astype(np.str_))
        means, spreads = [], []
        for name in names:
            rows = platform == name
            own, labels = values[rows], group[rows]
            parts = [own[labels == label] for label in np.unique(labels)]
            mean = np.mean([part.mean(axis=0) for part in parts], axis=0)
            variance = np.mean([((part - mean) ** 2).mean(axis=0) for part in parts], axis=0)
            means.append(mean)
            spreads.append(np.where(np.isnan(mean), np.nan, divisor(np.sqrt(variance), mean)))
        return cls(names, np.array(means), np.array(spreads))

    def nearest(self, values: FloatArray) -> IndexArray:
        """Return the number of the platform that each profile resembles most."""
        if len(self.platforms) == 1:
            return np.zeros(len(values), dtype=np.intp)
        common = ~np.isnan(self.means).any(axis=0)
        present = ~np.isnan(values) & common
        found = np.zeros(len(values), dtype=np.intp)
        # profiles of one source have the same genes, so that one product serves them all
        alike_in_genes: dict[bytes, list[int]] = {}
        for row, packed in enumerate(np.packbits(present, axis=1)):
            alike_in_genes.setdefault(packed.tobytes(), []).append(row)
        for alike in alike_in_genes.values():
            genes = present[alike[0]]
            centred = self._centred(genes)[:, genes]
            own = values[np.ix_(alike, genes)]
            if own.shape[1]:
                own = own - own.mean(axis=1, keepdims=True)
            # not by BLAS, whose sums depend on the number of profiles
            found[alike] = np.einsum("sg,pg->sp", own, centred).argmax(axis=1)
        return found

    def nearest_of_cells(self, cells: SparseProfiles) -> IndexArray:
        """Return the number of the platform that each cell resembles most; see `nearest`.

        A platform's centred mean sums to 0, so that the zeros of a cell fall out of the product,
        and the size of the cell is the same beside each platform.
        """
        if len(self.platforms) == 1:
            return np.zeros(len(cells), dtype=np.intp)
        common = ~np.isnan(self.means).any(axis=0) & cells.present
        return np.asarray(cells.above_background(self._centred(common).T).argmax(axis=1))

    def _centred(self, genes: BoolArray) -> FloatArray:
        """Means of some genes, centred and of length 1 on each platform; the others are 0."""
        centred = np.zeros(self.means.shape)
        for number, mean in enumerate(self.means[:, genes]):
            own = mean - mean.sum() / max(len(mean), 1)
            size = np.sqrt((own**2).sum())
            centred[number, genes] = own / size if size > 0 else 0.0
        return centred

    def standardised(
        self, values: FloatArray, platforms: IndexArray, genes: IndexArray | slice = slice(None)
    ) -> FloatArray:
        """Profiles in standard deviations of the platform named for each, NaN kept.

        ``genes`` names the genes that ``values`` holds; all of them by default.
        """
        out = np.empty(values.shape)
        for number in range(len(self.platforms)):
            rows = platforms == number
            mean, spread = self.means[number, genes], self.spreads[number, genes]
            out[rows] = (values[rows] - mean) / spread
        return out

    def arrays(self) -> dict[str, AnyArray]:
        """Return the parts as arrays by name."""
        return {"platforms": self.platforms, "means": self.means, "spreads": self.spreads}

    @classmethod
    def from_state(cls, state: LearnerState, features: int) -> Self:
        """Put the parts together again.

        Raises
        ------
        KeyError, ValueError
            When a part is missing, has another shape, or a spread is not above 0.
        """
        platforms = state.array("platforms", "U", (None,))
        means, spreads = (
            state.array(name, "f", (len(platforms), features), finite=False)
            for name in ("means", "spreads")
        )
        if not len(platforms) or np.isinf(means).any() or (spreads <= 0).any():
            raise ValueError("axes.means or axes.spreads holds what no platform has")
        return cls(platforms, means, spreads)
