"""The tasks of the benchmark: measured drug responses, and killing planted on the same profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.evidence import GeneEvidence
from nkpredict.facts import EvidenceFacts
from nkpredict.features import Profiles
from nkpredict.io import SIMULATED_PREFIX, read_expression, read_panel
from nkpredict.simulate import EVIDENCE_QUALITIES, MECHANISMS, plant_response

DRUGS = ("Venetoclax", "AZD5991", "Dasatinib", "Trametinib", "Talazoparib", "Gemcitabine")
"""Area under the curve in GDSC2."""
_GDSC1_IDS = (
    *(3, 30, 35, 55, 71, 165, 185, 196, 204, 206, 224, 254),
    *(281, 293, 299, 301, 303, 309, 326, 344, 1022, 1058, 1218, 1248),
)
GDSC1_DRUGS = tuple(f"GDSC1_{number}" for number in _GDSC1_IDS)
"""ln IC50 in GDSC1, drugs by their id."""
CHOICE_DRUGS = (*DRUGS[::2], *GDSC1_DRUGS[::2])
"""Every second drug of both data sets: whatever is chosen, is chosen on these."""
REPORT_DRUGS = (*DRUGS[1::2], *GDSC1_DRUGS[1::2])
"""The other drugs: the model is compared with its peers on these."""
NO_EVIDENCE = "none"

# Responses measured by GDSC (Iorio et al., Cell 2016, doi 10.1016/j.cell.2016.06.017).
_EXPRESSION = Path("expression") / "gdsc_blood_cell_lines.csv.gz"
_ANNOTATIONS = Path("expression") / "gdsc_blood_cell_lines_obs.csv"
_RESPONSES = {
    "GDSC2": Path("response") / "gdsc2_auc_blood.csv",
    "GDSC1": Path("response") / "gdsc1_lnic50_blood.csv",
}


@dataclass(frozen=True, eq=False)
class BenchmarkTask:
    """Profiles and a response of the same samples.

    Attributes
    ----------
    name
        Unique name; that of a simulated response begins with ``SIM-``.
    family
        Tasks that are averaged together.
    group
        Tasks shown as one column: the drugs of a data set, or a mechanism over its seeds.
    profiles
        Samples × genes.
    target
        Susceptibility of each sample.
    lineage
        Lineage of each sample.
    evidence
        Quality of evidence → `GeneEvidence` or None.
    """

    name: str
    family: str
    group: str
    profiles: pd.DataFrame
    target: np.ndarray
    lineage: np.ndarray
    evidence: Mapping[str, Any] = field(default_factory=lambda: {NO_EVIDENCE: None})

    @property
    def simulated(self) -> bool:
        """Whether the response is simulated."""
        return self.name.startswith(SIMULATED_PREFIX)


def drug_tasks(data: str | Path, drugs: Sequence[str] = DRUGS) -> list[BenchmarkTask]:
    """Read measured drug responses of blood-cancer cell lines; each half is a family.

    Susceptibility is 1 − AUC (GDSC2) and −ln IC50 (GDSC1). No evidence goes with them: what
    screens say about NK cells does not hold for drugs.

    Parameters
    ----------
    data
        Folder with ``expression/`` and ``response/``.
    drugs
        Names among `DRUGS` and `GDSC1_DRUGS`.

    Raises
    ------
    InputError
        When a file is missing or malformed.
    """
    tasks = []
    for drug in drugs:
        source = "GDSC1" if drug in GDSC1_DRUGS else "GDSC2"
        half = "choice half" if drug in CHOICE_DRUGS else "report half"
        panel = read_panel(
            Path(data) / _EXPRESSION,
            Path(data) / _RESPONSES[source],
            target=drug,
            direction="lower-is-sensitive",
            obs=Path(data) / _ANNOTATIONS,
        )
        tasks.append(
            BenchmarkTask(
                name=drug,
                family=f"drug response, {half}",
                group=source,
                profiles=Profiles.of(panel).frame(),
                target=panel.obs["susceptibility"].to_numpy(dtype=np.float64),
                lineage=panel.obs["lineage"].to_numpy(dtype=object),
            )
        )
    return tasks


def planted_tasks(data: str | Path, seeds: int = 3) -> list[BenchmarkTask]:
    """Plant simulated killing on the measured profiles of the drug tasks.

    Parameters
    ----------
    data
        Folder with ``expression/``.
    seeds
        Repetitions of each mechanism.
    """
    adata = read_expression(Path(data) / _EXPRESSION, obs=Path(data) / _ANNOTATIONS)
    profiles = Profiles.of(adata).frame()
    lineage = adata.obs["lineage"].astype(str).to_numpy(dtype=object)
    return [
        planted_task(profiles, lineage, mechanism, seed)
        for mechanism in MECHANISMS
        for seed in range(seeds)
    ]


def planted_task(
    profiles: pd.DataFrame, lineage: np.ndarray, mechanism: str, seed: int, **settings: Any
) -> BenchmarkTask:
    """Plant one simulated response, with evidence of every quality.

    Parameters
    ----------
    profiles, lineage, mechanism
        See `nkpredict.simulate.plant_response`.
    seed
        Its ``random_state``.
    **settings
        Its other settings.
    """
    planted = plant_response(profiles, pd.Series(lineage), mechanism, random_state=seed, **settings)
    evidence: dict[str, Any] = {
        quality: GeneEvidence(planted.evidence(quality), EvidenceFacts(simulated=True))
        for quality in EVIDENCE_QUALITIES
    }
    return BenchmarkTask(
        name=f"{SIMULATED_PREFIX}{mechanism}-{seed}",
        family="SIMULATED killing",
        group=mechanism,
        profiles=profiles,
        target=planted.susceptibility.to_numpy(dtype=np.float64),
        lineage=np.asarray(lineage, dtype=object),
        evidence=evidence | {NO_EVIDENCE: None},
    )
