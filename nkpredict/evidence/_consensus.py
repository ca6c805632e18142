"""What published screens agree on: one signed evidence a gene from the knowledge base."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.evidence._knowledge import known_hits
from nkpredict.evidence._table import GeneEvidence
from nkpredict.facts import KnowledgeFacts
from nkpredict.vocabulary import UNKNOWN, GeneDirection

THERAPY_EFFECTOR = "primary NK"
"""Effector cells of the therapies; what other effectors show counts less. Chosen by hand."""
OTHER_EFFECTOR = 0.5
"""Confidence of a gene known from other effectors alone; set by hand."""
CONTRADICTED = 0.5
"""Confidence of a gene whose direction in another effector type is the opposite; set by
hand."""


def known_evidence() -> GeneEvidence:
    """Return the signed evidence of genes with a direction in the knowledge base.

    A direction against primary NK cells has confidence 1, `CONTRADICTED` when another effector
    type shows the opposite; a direction known from other effectors alone has `OTHER_EFFECTOR`.
    The numbers are conventions of this product, not estimates.

    Returns
    -------
    GeneEvidence
        One row a gene; genes whose direction is unknown are left out. The provenance lists the
        studies with their DOI.

    Raises
    ------
    InputError
        When the shipped table of hits was altered.
    """
    hits = known_hits()
    hits = hits[hits["direction"] != UNKNOWN]
    hits = hits.assign(sign=np.where(hits["direction"] == GeneDirection.SENSITIZES, 1.0, -1.0))
    rows = {str(gene): _judgement(part) for gene, part in hits.groupby("gene", sort=True)}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("gene")
    studies = hits[["study", "doi"]].drop_duplicates().sort_values("study")
    provenance = KnowledgeFacts(
        source="screen_hits.csv",
        studies={str(study): str(doi) for study, doi in studies.itertuples(index=False)},
    )
    return GeneEvidence(table, provenance)


def _judgement(rows: pd.DataFrame) -> dict[str, object]:
    therapy = rows.loc[rows["effector"] == THERAPY_EFFECTOR, "sign"]
    deciding = therapy if len(therapy) else rows["sign"]
    sign = float(np.sign(deciding.sum()))
    conflict = bool((np.sign(rows["sign"]) != sign).any())
    confidence = 1.0 if len(therapy) else OTHER_EFFECTOR
    if conflict:
        confidence *= CONTRADICTED
    return {
        "evidence": sign * confidence,
        "confidence": confidence if sign else 0.0,
        "n_screens": len(rows),
        "agreement": float((rows["sign"] == sign).mean()),
        "conflict": conflict,
    }
