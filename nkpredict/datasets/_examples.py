"""Cohorts that ship with the package, and a simulated study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from nkpredict.io import read_expression
from nkpredict.shipped import shipped_path
from nkpredict.simulate import SimulatedStudy, simulate_study

if TYPE_CHECKING:
    from anndata import AnnData

_DEMO = {"random_state": 0, "n_genes": 3000, "n_patients": 40}


def chiaretti_all() -> AnnData:
    """Expression of 128 adults with newly diagnosed acute lymphoblastic leukaemia.

    95 B-lineage and 33 T-lineage leukaemias on Affymetrix HG-U95Av2, RMA, log2 intensity
    (Chiaretti et al., Blood 2004, doi 10.1182/blood-2003-09-3243, as distributed in the
    Bioconductor package ALL 1.40, Artistic License 2.0). No model that ships with nkpredict was
    made from these patients.

    Returns
    -------
    AnnData
        128 patients × 7,596 genes; ``obs`` holds the covariates, among them ``BT`` (B or T lineage
        with its stage), ``mol.biol``, ``relapse`` and ``days_in_remission``.

    Examples
    --------
    >>> import nkpredict
    >>> cohort = nkpredict.datasets.chiaretti_all()
    >>> cohort.shape
    (128, 7596)
    """
    return read_expression(
        shipped_path("examples", "chiaretti_all.parquet"),
        obs=shipped_path("examples", "chiaretti_all_obs.csv"),
    )


def simulated_study(out: str | Path | None = None) -> SimulatedStudy:
    """Write the SIMULATED study of the demo: 63 cell lines, twelve screens and 40 patients.

    Nothing learned from it says anything about patients. `nkpredict.simulate_study` writes others.

    Parameters
    ----------
    out
        Folder to write; by default one in the user's cache folder. Its files are the same each
        time.

    Returns
    -------
    SimulatedStudy
        Paths of the files, in the formats of a real study.

    Raises
    ------
    InputError
        When ``out`` holds something else than a simulated study.
    """
    folder = user_cache_path("nkpredict") / "simulated-study" if out is None else Path(out)
    return simulate_study(folder, **_DEMO)
