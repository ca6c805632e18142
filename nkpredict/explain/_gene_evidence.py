"""What published evidence was to a model, and out of which studies or screens it was made."""

from __future__ import annotations

from collections.abc import Mapping

from nkpredict.evidence import GeneEvidence
from nkpredict.facts import CombinationFacts, KnowledgeFacts
from nkpredict.learn import CalibratedModel, Evidence, GeneModel
from nkpredict.vocabulary import EvidenceRole


def evidence_role(model: GeneModel) -> EvidenceRole:
    """Return what evidence was to a model."""
    # a calibration changes nothing in what a model learned from
    model = model.fitted_model if isinstance(model, CalibratedModel) else model
    if getattr(model, "knowledge_only", False):
        return EvidenceRole.SOLE_SOURCE
    known = getattr(model, "evidence_", None)
    return EvidenceRole.NONE if known is None else EvidenceRole.USED_IN_TRAINING


def evidence_sources(evidence: Evidence) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Return the studies with their DOI, and the names of screens, that evidence was made from."""
    provenance = evidence.provenance if isinstance(evidence, GeneEvidence) else None
    studies = dict(provenance.studies) if isinstance(provenance, KnowledgeFacts) else {}
    screens = (
        tuple(screen.experiment for screen in provenance.screens)
        if isinstance(provenance, CombinationFacts)
        else ()
    )
    return studies, screens
