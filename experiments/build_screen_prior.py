"""Build the shipped bundle of screen-prior from the knowledge base and the example cohort.

Example
-------
python experiments/build_screen_prior.py
"""

from __future__ import annotations

from pathlib import Path

from nkpredict import read_expression
from nkpredict.facts import ModelFacts, ReferenceFacts
from nkpredict.io import file_sha256
from nkpredict.learn import ScreenPrior
from nkpredict.registry import save_bundle

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "data" / "examples" / "chiaretti_all.parquet"


def main() -> None:
    reference = read_expression(REFERENCE)
    model = ScreenPrior().fit(reference)
    metadata = ModelFacts(
        name="screen-prior",
        knowledge_only=True,
        reference=ReferenceFacts(
            name="adult acute lymphoblastic leukaemia (Chiaretti 2004)",
            doi="10.1182/blood-2003-09-3243",
            licence="Artistic-2.0",
            file=REFERENCE.name,
            sha256=file_sha256(REFERENCE),
            samples=reference.n_obs,
            genes=reference.n_vars,
        ),
    )
    print(save_bundle(model, ROOT / "models" / "screen-prior" / "bundle", metadata))


if __name__ == "__main__":
    main()
