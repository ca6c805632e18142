"""Ways to split samples, each answering another question about a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from nkpredict.errors import InputError
from nkpredict.types import IndexArray, LabelArray


class Split(StrEnum):
    """How samples are held out."""

    RANDOM = "random"
    LINEAGE_HELD_OUT = "lineage-held-out"


SPLITS = tuple(split.value for split in Split)


@dataclass(frozen=True)
class Fold:
    """One training and test set.

    Attributes
    ----------
    split
        ``"random"`` (new samples of known lineages) or ``"lineage-held-out"`` (a lineage the
        model has never seen).
    repeat, number
        Which repetition, and which fold in it.
    train, test
        Positions of the samples.
    """

    split: str
    repeat: int
    number: int
    train: IndexArray
    test: IndexArray


def make_folds(
    split: str,
    n_samples: int,
    lineage: LabelArray | None,
    *,
    folds: int = 5,
    repeats: int = 1,
    random_state: int = 0,
) -> Iterator[Fold]:
    """Yield the folds of one split.

    Parameters
    ----------
    split
        One of ``SPLITS``.
    n_samples
        Number of samples.
    lineage
        Lineage of each sample; needed for the lineage-held-out split.
    folds, repeats
        Folds and repetitions of the random split.
    random_state
        Seed of the shuffling.

    Raises
    ------
    InputError
        On an unknown split, or fewer than two lineages.
    """
    from sklearn.model_selection import KFold, LeaveOneGroupOut  # slow to import, not for scoring

    if split == Split.RANDOM:
        for repeat in range(repeats):
            splitter = KFold(folds, shuffle=True, random_state=random_state + repeat)
            for number, (train, test) in enumerate(splitter.split(np.zeros(n_samples))):
                yield Fold(split, repeat, number, train, test)
    elif split == Split.LINEAGE_HELD_OUT:
        found = 0 if lineage is None else len(np.unique(lineage))
        if lineage is None or found < 2:
            raise InputError(
                f"Found {found} lineage(s); the lineage-held-out split needs two or more. Give the "
                "lineage of each sample, or evaluate the random split only."
            )
        parts = LeaveOneGroupOut().split(np.zeros(n_samples), groups=lineage)
        for number, (train, test) in enumerate(parts):
            yield Fold(split, 0, number, train, test)
    else:
        raise InputError(f"The split {split!r} is unknown; expected {' or '.join(SPLITS)}.")
