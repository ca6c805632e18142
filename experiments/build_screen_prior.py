"""Build the shipped bundle of screen-prior from the knowledge base and reference profiles.

The profiles stay with their owners: the bundle holds means, spreads and co-expression of genes, and
the scores of the reference samples without their names. None of the example cohorts is among them.

Example
-------
python experiments/build_screen_prior.py --data ../my-data
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from nkpredict import read_expression
from nkpredict.facts import ModelFacts, ReferenceFacts
from nkpredict.io import file_sha256
from nkpredict.learn import ScreenPrior
from nkpredict.registry import save_bundle

ROOT = Path(__file__).parents[1]
ARRAYS = "expression/gdsc_blood_cell_lines.csv.gz"
LINES = "expression/gdsc_blood_cell_lines_obs.csv"
RNA_SEQ_LINES = "expression/hpa_cell_lines_log2ptpm.csv.gz"
RNA_SEQ_PATIENTS = "patients/aml100_star_counts_genes_x_samples.csv.gz"
# Diagnosis of the patient that each line was taken from (Cellosaurus).
DIAGNOSES = {
    "Daudi": "BCL",
    "HAP1": "CML",
    "HDLM-2": "HL",
    "HEL": "AML",
    "HL-60": "AML",
    "K-562": "CML",
    "Karpas-707": "MM",
    "MOLT-4": "T-ALL",
    "NB-4": "AML",
    "REH": "B-ALL",
    "RPMI-8226": "MM",
    "THP-1": "AML",
    "U-266/70": "MM",
    "U-266/84": "MM",
    "U-698": "BCL",
    "U-937": "BCL",
}


def reference_profiles(data: Path) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return profiles, platform of each, and group of each (disease, lines or patients)."""
    arrays = read_expression(data / ARRAYS).to_df()
    lineage = pd.read_csv(data / LINES, index_col=0)["lineage"].loc[arrays.index]
    arrays = arrays[(lineage != "other").to_numpy()]
    lines = read_expression(data / RNA_SEQ_LINES).to_df().loc[list(DIAGNOSES)]
    patients = read_expression(data / RNA_SEQ_PATIENTS).to_df()
    profiles = pd.concat([arrays, lines, patients])
    platforms = ["array"] * len(arrays) + ["RNA-seq"] * (len(lines) + len(patients))
    groups = [
        *(f"{name}, lines" for name in lineage.loc[arrays.index]),
        *(f"{name}, lines" for name in DIAGNOSES.values()),
        *["AML, patients"] * len(patients),
    ]
    return profiles, platforms, groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds expression/ and patients/")
    data = parser.parse_args().data

    profiles, platforms, groups = reference_profiles(data)
    model = ScreenPrior().fit(profiles, platform=platforms, group=groups)
    files = (ARRAYS, RNA_SEQ_LINES, RNA_SEQ_PATIENTS)
    metadata = ModelFacts(
        name="screen-prior",
        knowledge_only=True,
        reference=ReferenceFacts(
            name=(
                f"{platforms.count('array')} blood-cancer lines on arrays (GDSC), "
                f"{len(DIAGNOSES)} by RNA-seq (Human Protein Atlas 19), "
                f"{groups.count('AML, patients')} acute myeloid leukaemias by RNA-seq (AMLmapR)"
            ),
            licence="means, spreads and co-expression only; the profiles stay with their owners",
            file="; ".join(Path(file).name for file in files),
            sha256="; ".join(file_sha256(data / file) for file in files),
            samples=len(profiles),
            genes=len(model.feature_names_in_),
        ),
    )
    print(save_bundle(model, ROOT / "models" / "screen-prior" / "bundle", metadata))


if __name__ == "__main__":
    main()
