"""Write a synthetic NK co-culture study with planted truth, in the real study's file formats.

Use it to learn the tool, to test readers and learners, and to see whether a method finds what was
planted. File names begin with ``SIMULATED_`` and sample names with ``SIM-``, so that nothing
derived from it can pass for a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io import atomic_folder, write_json
from nkpredict.simulate._assays import (
    CONDITIONS,
    N_REPLICATES,
    SCREENS,
    SimulatedScreens,
    culture_replicates,
    log2_tpm,
    run_screens,
    sequence_patients,
    viability_area,
)
from nkpredict.simulate._biology import (
    LINEAGES,
    ExpressionProgramme,
    PlantedGenes,
    SusceptibilityRule,
    plant_genes,
)
from nkpredict.types import FloatArray

_PREFIX = "SIMULATED_"
_TISSUE = "_HAEMATOPOIETIC_AND_LYMPHOID_TISSUE"
_FIRST_GENE_NUMBER = 900_000_001  # beyond every Entrez id in use, so that none is taken for real
_WARNING = (
    "This study is simulated. Nothing learned from it, no model, gene or score, may be used for "
    "patients or cited as a finding."
)


@dataclass(frozen=True)
class SimulatedStudy:
    """Where the files of a simulated study lie.

    Attributes
    ----------
    folder
        Holds all the files.
    expression
        log2(TPM+1), cell lines (DepMap ids) × genes, CSV.
    lines
        Names and lineages of the cell lines, CSV.
    viability
        % viability by line and E:T ratio, tab-separated, long.
    replicates
        % viability of the biological replicates, tab-separated, one column a line.
    viability_auc
        As ``viability``, with ``auc`` (500 = no killing) and ``auc_norm`` (1 = no killing); both
        empty for a line without the highest ratio.
    screens
        Twelve genome-wide CRISPR screens, comma-separated.
    patients
        Read counts, genes × patients, tab-separated.
    truth
        What was planted: drivers, decoys and true susceptibilities, JSON.
    """

    folder: Path
    expression: Path
    lines: Path
    viability: Path
    replicates: Path
    viability_auc: Path
    screens: Path
    patients: Path
    truth: Path


def simulate_study(
    out: str | Path,
    *,
    random_state: int = 0,
    n_genes: int = 3000,
    n_patients: int = 40,
    n_drivers: int = 24,
) -> SimulatedStudy:
    """Write a synthetic study of 63 cell lines, twelve screens and a patient cohort.

    Parameters
    ----------
    out
        Folder to write. It may hold an earlier simulated study, which is replaced, but no other
        file.
    random_state
        Seed; the same seed and sizes give byte-identical files.
    n_genes
        Genes to simulate.
    n_patients
        Patients to simulate; their number changes nothing in the other files but the truth.
    n_drivers
        Genes with an effect on the susceptibility; about 60 % of them are known to a screen.

    Returns
    -------
    SimulatedStudy
        Paths of the files.

    Raises
    ------
    InputError
        When a size is out of range, or ``out`` holds something else than a simulated study.
    """
    for name, value, least in (
        ("random_state", random_state, 0),
        ("n_patients", n_patients, 1),
        ("n_drivers", n_drivers, 1),
    ):
        if value < least:
            raise InputError(f"{name} is {value}; expected {least} or more.")
    out = Path(out)
    _require_replaceable(out)
    seeds = np.random.SeedSequence(random_state).spawn(5)
    genes_rng, lines_rng, culture_rng, screens_rng, patients_rng = map(np.random.default_rng, seeds)

    planted = plant_genes(n_genes, n_drivers, genes_rng)
    programme = ExpressionProgramme(planted, genes_rng)
    lines = _lines()
    lineages = lines["lineage"].tolist()
    abundance = programme.log2_abundance(lineages, lines_rng)
    rule = SusceptibilityRule(planted, abundance, lineages)
    lines["susceptibility"] = rule.susceptibility(abundance, lineages, lines_rng)
    replicates = culture_replicates(lines["susceptibility"].to_numpy(), culture_rng)
    screens = run_screens(planted, screens_rng)
    patients, counts = _patients(n_patients, planted, programme, rule, patients_rng)
    truth = {
        "simulated": True,
        "warning": _WARNING,
        "seed": random_state,
        "formula": SusceptibilityRule.formula,
        "lineage_offsets": rule.offsets.round(6).to_dict(),
        "drivers": _drivers(rule, planted),
        "decoys": planted.decoys,
        "screens": _screens(screens),
        "lines": _samples(lines, "StrippedCellLineName"),
        "patients": _samples(patients, "sample"),
    }
    with atomic_folder(out) as folder:
        writing = _paths(folder)
        _write(writing.expression, _expression(abundance, planted, lines), index=True)
        _write(writing.lines, lines.drop(columns="susceptibility").assign(note="SIMULATED"))
        viability, viability_auc = _viability(replicates, lines)
        _write(writing.viability, viability, separator="\t")
        _write(writing.viability_auc, viability_auc, separator="\t")
        _write(writing.replicates, _replicates(replicates, lines), separator="\t")
        _write(writing.screens, screens.table)
        _write(writing.patients, counts, separator="\t", index=True)
        write_json(writing.truth, truth)
    return _paths(out)


def _require_replaceable(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; expected a folder to write the simulated study to.")
    foreign = sorted(p.name for p in out.glob("*") if not p.name.startswith(_PREFIX))
    if foreign:
        raise InputError(
            f"{out} holds {len(foreign)} other file{'s' if len(foreign) > 1 else ''} "
            f"({name_some(foreign)}), and the simulated study replaces the folder as a whole; "
            "name a new or empty folder."
        )


def _paths(folder: Path) -> SimulatedStudy:
    def path(name: str) -> Path:
        return folder / f"{_PREFIX}{name}"

    return SimulatedStudy(
        folder=folder,
        expression=path("OmicsExpressionProteinCodingGenesTPMLogp1.csv"),
        lines=path("Model.csv"),
        viability=path("NK_PRISM_heme_pctviability.txt"),
        replicates=path("NK_PRISM_heme_pctviability_biologicalreplicates.txt"),
        viability_auc=path("NK_PRISM_heme_pctviability_auc_norm.txt"),
        screens=path("crispr_mageck_combined.txt"),
        patients=path("patients_star_counts.tsv"),
        truth=path("truth.json"),
    )


def _write(path: Path, table: pd.DataFrame, *, separator: str = ",", index: bool = False) -> None:
    table.to_csv(path, sep=separator, index=index, float_format="%.6g", lineterminator="\n")


def _lines() -> pd.DataFrame:
    rows = [
        (f"SIM-{name}-{number:02d}", lineage.oncotree, name)
        for name, lineage in LINEAGES.items()
        for number in range(1, lineage.n_lines + 1)
    ]
    return pd.DataFrame(
        {
            "ModelID": [f"SIM-ACH-{number:06d}" for number in range(1, len(rows) + 1)],
            "StrippedCellLineName": [name for name, _, _ in rows],
            "CCLEName": [name + _TISSUE for name, _, _ in rows],
            "OncotreeLineage": [oncotree for _, oncotree, _ in rows],
            "lineage": [lineage for _, _, lineage in rows],
        }
    )


def _patients(
    n_patients: int,
    planted: PlantedGenes,
    programme: ExpressionProgramme,
    rule: SusceptibilityRule,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw patients with their true susceptibility, and sequence them."""
    shares = [lineage.patient_share for lineage in LINEAGES.values()]
    names = [f"SIM-PATIENT-{number:02d}" for number in range(1, n_patients + 1)]
    lineages = rng.choice(list(LINEAGES), n_patients, p=shares).tolist()
    abundance = programme.log2_abundance(lineages, rng)
    susceptibility = rule.susceptibility(abundance, lineages, rng)
    patients = pd.DataFrame(
        {"sample": names, "lineage": lineages, "susceptibility": susceptibility}
    )
    return patients, sequence_patients(abundance, planted.genes, names, rng)


def _expression(abundance: FloatArray, planted: PlantedGenes, lines: pd.DataFrame) -> pd.DataFrame:
    columns = [f"{gene} ({_FIRST_GENE_NUMBER + n})" for n, gene in enumerate(planted.genes)]
    return pd.DataFrame(
        np.round(log2_tpm(abundance), 4), index=lines["ModelID"].tolist(), columns=columns
    )


def _viability(replicates: FloatArray, lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    # areas come from the values as written, so that a reader finds the same to the last digit
    mean = np.round(replicates.mean(axis=2), 3)
    n_lines, n_conditions = mean.shape
    table = pd.DataFrame(
        {
            "cell_line": np.repeat(lines["StrippedCellLineName"].to_numpy(), n_conditions),
            "Condition": np.tile(CONDITIONS, n_lines),
            "pctviability": mean.ravel(),
            "DepMap_ID": np.repeat(lines["ModelID"].to_numpy(), n_conditions),
            "Subtype": np.repeat(lines["lineage"].to_numpy(), n_conditions),
        }
    )
    area = np.repeat(viability_area(mean), n_conditions)
    measured = table["pctviability"].notna()
    with_area = table.assign(auc=area, auc_norm=area / 500.0, note="SIMULATED")
    return table.assign(note="SIMULATED")[measured], with_area[measured]


def _replicates(replicates: FloatArray, lines: pd.DataFrame) -> pd.DataFrame:
    values = replicates.transpose(1, 2, 0).reshape(-1, len(lines))
    table = pd.DataFrame(values, columns=lines["CCLEName"].tolist())
    table.insert(0, "Condition", np.repeat(CONDITIONS, N_REPLICATES))
    table.insert(1, "Biological_replicate", np.tile(range(1, N_REPLICATES + 1), len(CONDITIONS)))
    return table


def _drivers(rule: SusceptibilityRule, planted: PlantedGenes) -> dict[str, dict[str, object]]:
    return {
        str(gene): {"effect": round(float(effect), 6), "known": gene in planted.known}
        for gene, effect in rule.effects.items()
    }


def _screens(screens: SimulatedScreens) -> dict[str, dict[str, object]]:
    return {
        f"SIM-{name}": {
            "perturbation": perturbation.value,
            "detected_drivers": screens.drivers[f"SIM-{name}"],
            "decoys": screens.decoys[f"SIM-{name}"],
        }
        for name, perturbation in SCREENS.items()
    }


def _samples(table: pd.DataFrame, name: str) -> dict[str, dict[str, object]]:
    return {
        sample: {"lineage": lineage, "susceptibility": round(susceptibility, 6)}
        for sample, lineage, susceptibility in zip(
            table[name], table["lineage"], table["susceptibility"], strict=True
        )
    }
