"""Finished stretches: kept on disk until all are there, or in memory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nkpredict.cells._stretch import StretchScores
from nkpredict.errors import FULL_OR_READ_ONLY, InputError
from nkpredict.io import atomic_path, write_json
from nkpredict.types import FloatArray

_MANIFEST = "manifest.json"


class Store(Protocol):
    """Where finished stretches are kept."""

    def finished(self) -> set[int]:
        """Numbers of the stretches that are there."""

    def put(self, number: int, scores: StretchScores) -> None:
        """Keep a stretch."""

    def tables(self) -> Iterator[pa.Table]:
        """Return the numbers of the cells, stretch after stretch."""

    def counts(self, group: int) -> FloatArray:
        """Return the counts of a group, random parts × genes."""

    def close(self) -> None:
        """Forget everything."""


class MemoryStore:
    """Stretches in memory."""

    def __init__(self) -> None:
        self._scores: dict[int, StretchScores] = {}

    def finished(self) -> set[int]:
        """Numbers of the stretches that are there."""
        return set(self._scores)

    def put(self, number: int, scores: StretchScores) -> None:
        """Keep a stretch."""
        self._scores[number] = scores

    def tables(self) -> Iterator[pa.Table]:
        """Return the numbers of the cells, stretch after stretch."""
        for number in sorted(self._scores):
            yield _table(self._scores[number])

    def counts(self, group: int) -> FloatArray:
        """Return the counts of a group, random parts × genes."""
        return _sum(
            scores.counts[int(np.searchsorted(scores.groups_here, group))]
            for scores in self._scores.values()
            if group in scores.groups_here
        )

    def close(self) -> None:
        """Forget everything."""
        self._scores.clear()


class FolderStore:
    """Stretches as files in a folder, which outlives a run that is killed.

    A stretch counts as finished when its numbers are there whole; they are written last.

    Parameters
    ----------
    folder
        Made when missing. What another run left there is removed.
    about
        What the numbers depend on: a folder with something else is no use.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self.folder = folder
        if self._about() != json.loads(json.dumps(dict(about))):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            write_json(folder / _MANIFEST, dict(about))
        for left in folder.glob(".*"):
            left.unlink()  # of a write that was killed

    def finished(self) -> set[int]:
        """Numbers of the stretches that are there."""
        return {int(path.stem) for path in self.folder.glob("[0-9]*.parquet")}

    def put(self, number: int, scores: StretchScores) -> None:
        """Keep a stretch.

        Raises
        ------
        InputError
            When the disk is full.
        """
        try:
            for name in ("counts", "groups_here"):
                with atomic_path(self.folder / f"{number:06d}.{name}.npy") as path:
                    np.save(path, getattr(scores, name))
            with atomic_path(self.folder / f"{number:06d}.parquet") as path:
                pq.write_table(_table(scores), path)
        except InputError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno not in FULL_OR_READ_ONLY:
                raise
            raise InputError(
                f"The disk of {self.folder} is full; {len(self.finished()):,} finished stretches "
                "of cells are kept there. Make room and run the same command again: it goes on "
                "from them."
            ) from error

    def tables(self) -> Iterator[pa.Table]:
        """Return the numbers of the cells, stretch after stretch."""
        for number in sorted(self.finished()):
            yield pq.read_table(self.folder / f"{number:06d}.parquet")

    def counts(self, group: int) -> FloatArray:
        """Return the counts of a group, random parts × genes."""
        return _sum(self._counts_of(group))

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder)

    def _counts_of(self, group: int) -> Iterator[Any]:
        for number in sorted(self.finished()):
            here = np.load(self.folder / f"{number:06d}.groups_here.npy", allow_pickle=False)
            place = int(np.searchsorted(here, group))
            if place < len(here) and here[place] == group:
                path = self.folder / f"{number:06d}.counts.npy"
                yield np.load(path, mmap_mode="r", allow_pickle=False)[place]

    def _about(self) -> Any:
        try:
            return json.loads((self.folder / _MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None


def _table(scores: StretchScores) -> pa.Table:
    return pa.table(
        {
            "sample": pa.array(scores.names, pa.string()),
            "group": pa.array(scores.groups, pa.int32()),
            "susceptibility": pa.array(scores.susceptibility, pa.float64()),
            "umis": pa.array(scores.umis, pa.float64()),
            "genes": pa.array(scores.genes, pa.int32()),
        }
    )


def _sum(parts: Iterator[Any]) -> FloatArray:
    total: FloatArray | None = None
    for part in parts:
        # uint32 into float64: exact up to 2^53
        total = part.astype(np.float64) if total is None else total + part
    if total is None:
        raise KeyError("no cell of the group")
    return total
