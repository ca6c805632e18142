"""nkpredict simulate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nkpredict.cli._console import JsonFile, Quiet, say, write_json_file


def simulate(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files.")],
    genes: Annotated[int, typer.Option(metavar="N", help="Genes measured.")] = 3000,
    patients: Annotated[int, typer.Option(metavar="N", help="Patients.")] = 40,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 0,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Simulate a co-culture study with planted genes, in the real study's file formats.

    Example:

        nkpredict simulate --out simulated
    """
    from nkpredict.simulate import simulate_study

    study = simulate_study(out, random_state=seed, n_genes=genes, n_patients=patients)
    write_json_file(json_file, {"simulated": True, **vars(study)})
    say(f"SIMULATED study of 63 cell lines and {patients} patients in {study.folder}", quiet)
