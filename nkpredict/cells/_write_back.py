"""Put the numbers of cells into a copy of their file."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from nkpredict.cells._result import CellScores
from nkpredict.errors import InputError
from nkpredict.facts import CELL_FACTS_KEY
from nkpredict.io import atomic_path, open_cells, to_json


def write_h5ad(scores: CellScores, source: str | Path, target: str | Path) -> Path:
    """Copy an ``.h5ad`` file and add the numbers of its cells to ``obs``.

    The matrices are copied as they are and never held in memory; see `CellScores.annotate` for
    what is added.

    Parameters
    ----------
    scores
        Of the cells of the file.
    source
        The file that was scored.
    target
        File to write.

    Raises
    ------
    InputError
        When the source is no ``.h5ad`` file, or the target is the source.
    """
    import h5py
    from anndata.io import write_elem

    source, target = Path(source), Path(target)
    found = None if source.is_dir() else open_cells(source)
    if found is None or not found.format.endswith("(h5ad)"):
        raise InputError(
            f"{source} is no .h5ad file, to a copy of which the numbers could be added; score an "
            ".h5ad file, or use nkpredict.tl.score on an AnnData."
        )
    if target.exists() and target.samefile(source):
        raise InputError(f"{target} is the file that was scored; name another one to write.")
    with found.open() as rows:
        cells = pd.Index(rows.names(0, found.cells))
    columns = scores.columns(cells)
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
        with h5py.File(temporary, "r+") as file:
            obs = file["obs"]
            for name, values in columns.items():
                if name in obs:
                    del obs[name]
                text = isinstance(values.dtype, pd.CategoricalDtype)
                write_elem(obs, name, values.array if text else values.to_numpy())
            order = [str(name) for name in obs.attrs["column-order"]]
            order += [name for name in columns if name not in order]
            obs.attrs["column-order"] = np.array(order, dtype=h5py.string_dtype())
            if "uns" not in file:
                write_elem(file, "uns", {})
            if CELL_FACTS_KEY in file["uns"]:
                del file["uns"][CELL_FACTS_KEY]
            write_elem(file["uns"], CELL_FACTS_KEY, to_json(scores.facts.to_json()))
    return target
