"""Write everything a scoring run gives into one folder."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nkpredict.errors import InputError, name_some
from nkpredict.io.writing import atomic_folder, write_csv, write_json
from nkpredict.report.html import write_report
from nkpredict.scoring import Scores

RESULT_FILES = (
    "scores.csv",
    "contributions.parquet",
    "resistance_genes.csv",
    "provenance.json",
    "report.html",
)


def check_results_folder(folder: str | Path) -> Path:
    """Return the folder when it may be written: absent, empty, or holding earlier results.

    Raises
    ------
    InputError
        When it is a file or holds anything else.
    """
    folder = Path(folder)
    if folder.is_file():
        raise InputError(f"{folder} is a file; expected a folder for the results.")
    foreign = sorted(p.name for p in folder.glob("*") if p.name not in RESULT_FILES)
    if foreign:
        raise InputError(
            f"{folder} holds {len(foreign)} files that are no results of scoring "
            f"({name_some(foreign)}); name a new folder, nothing was written."
        )
    return folder


def write_results(scores: Scores, folder: str | Path) -> Path:
    """Write scores, contributions, genes, provenance and report, all of them or none.

    Parameters
    ----------
    scores
        Scores of a cohort.
    folder
        Folder to write; earlier results in it are replaced.

    Returns
    -------
    pathlib.Path
        The folder with ``scores.csv``, ``contributions.parquet`` (samples × genes and the column
        ``base_value``), ``resistance_genes.csv``, ``provenance.json`` and ``report.html``.

    Raises
    ------
    InputError
        When the folder holds other files.
    """
    folder = check_results_folder(folder)
    mark = {"note": "SIMULATED"} if scores.simulated else {}
    with atomic_folder(folder) as temporary:
        write_csv(temporary / "scores.csv", scores.table.assign(**mark))
        genes = scores.resistance_genes.assign(**mark).set_index("gene")
        write_csv(temporary / "resistance_genes.csv", genes)
        contributions = scores.contributions.copy()
        contributions.insert(0, "base_value", scores.base_value)
        table = pa.Table.from_pandas(contributions)
        note = {b"nkpredict": b"SIMULATED" if scores.simulated else b"measured"}
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **note})
        pq.write_table(table, temporary / "contributions.parquet")
        write_json(temporary / "provenance.json", scores.provenance)
        write_report(scores, temporary / "report.html")
    return folder
