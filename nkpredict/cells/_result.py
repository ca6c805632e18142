"""The numbers of cells, and the scores of their groups."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nkpredict.errors import InputError, name_some
from nkpredict.facts import CELL_FACTS_KEY, CellFacts
from nkpredict.io import to_json
from nkpredict.registry import Bundle
from nkpredict.scoring import Scores

if TYPE_CHECKING:
    from anndata import AnnData

_COLUMNS = ("susceptibility", "gene_coverage", "umis", "flags")


@dataclass(frozen=True, repr=False)
class CellScores:
    """Numbers of single cells, and scores of the groups they make up.

    Attributes
    ----------
    content
        The numbers as an Arrow table, or the Parquet file that holds them: ``sample`` (name of the
        cell), ``group``, ``susceptibility``, ``gene_coverage`` (share of the model's genes in the
        file), ``umis`` (sum of all values), ``genes`` (how many are above 0) and ``flags`` (joined
        by ``;``: ``few_umis`` (below 1,000), ``no_gene_read`` (and so no number),
        ``low_gene_coverage`` and those of the model).
    groups : Scores or None
        Summed counts of each group scored as a bulk sample; see `nkpredict.cells.score_cells`.
    facts : CellFacts
        What was read and done, and what to know before the numbers are used.
    bundle : Bundle
        The model.
    kept : tuple of pathlib.Path
        What holds the numbers until they are moved.
    """

    content: pa.Table | Path
    groups: Scores | None
    facts: CellFacts
    bundle: Bundle
    kept: tuple[Path, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether cells or model are simulated."""
        return self.facts.simulated

    @property
    def table(self) -> pd.DataFrame:
        """The numbers, one row a cell."""
        content = pq.read_table(self.content) if isinstance(self.content, Path) else self.content
        return pd.DataFrame(content.to_pandas()).set_index("sample")

    def write(self, folder: str | Path) -> None:
        """Write ``cells.parquet`` and ``cells.json`` into a folder that is there."""
        folder = Path(folder)
        if isinstance(self.content, Path):
            shutil.copyfile(self.content, folder / "cells.parquet")
        else:
            pq.write_table(self.content, folder / "cells.parquet")
        (folder / "cells.json").write_text(to_json(self.facts.to_json()), encoding="utf-8")

    def discard(self) -> None:
        """Remove what a run kept beside its output to go on after a kill."""
        for path in self.kept:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def annotate(self, adata: AnnData) -> None:
        """Write the numbers into an AnnData in place.

        ``obs`` gets ``nk_susceptibility``, ``nk_gene_coverage``, ``nk_umis`` and ``nk_flags``, with
        groups also ``nk_group_susceptibility``, ``nk_group_lower``, ``nk_group_upper`` and
        ``nk_group_flags``; ``uns["nkpredict_cells"]`` what they rest on, as JSON. Cells that were
        not scored get no number.

        Parameters
        ----------
        adata
            The cells that were scored.
        """
        columns = self.columns(pd.Index(adata.obs_names.astype(str)))
        for name, values in columns.items():
            adata.obs[name] = values
        adata.uns[CELL_FACTS_KEY] = to_json(self.facts.to_json())

    def columns(self, cells: pd.Index) -> Mapping[str, pd.Series]:
        """Return what `annotate` writes into ``obs``, by name of the column.

        Raises
        ------
        InputError
            When cells have to be matched by name and a name stands more than once.
        """
        table = self.table
        if not table.index.equals(cells):
            repeated = table.index[table.index.duplicated()].unique()
            if len(repeated):
                raise InputError(
                    f"{len(repeated):,} names of cells stand more than once "
                    f"({name_some(repeated)}); expected each once, to match cells by name. Make "
                    "them unique, or score all cells."
                )
            table = table.reindex(cells)
        columns = {f"nk_{name}": table[name] for name in _COLUMNS}
        columns["nk_flags"] = columns["nk_flags"].astype("category")
        if self.groups is not None:
            group = table["group"].astype(object)
            scored = self.groups.table
            for name in ("susceptibility", "sampling_lower", "sampling_upper", "flags"):
                values = group.map(scored[name])
                text = name == "flags"
                key = f"nk_group_{name.removeprefix('sampling_')}"
                columns[key] = values.astype("category") if text else values.astype(float)
        return columns

    def __repr__(self) -> str:
        """Summarise in a few lines."""
        mark = " SIMULATED" if self.simulated else ""
        lines = [
            f"CellScores{mark} of {self.facts.cells:,} cells with {self.bundle.metadata.name}",
            f"  median {self.facts.depth.median_umis:,.0f} UMIs, genes of the model found: "
            f"{self.facts.genes.found:,} of {self.facts.genes.in_model:,}",
        ]
        if self.groups is not None:
            lines.append(f"  {len(self.groups.table)} groups by {self.facts.grouping.column}")  # type: ignore[union-attr]
        return "\n".join(lines)
