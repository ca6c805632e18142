"""On which tumour lines and with which killer cells the evidence of genes was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from nkpredict.evidence._knowledge import known_hits
from nkpredict.evidence._table import GeneEvidence
from nkpredict.facts import KnowledgeFacts
from nkpredict.vocabulary import UNKNOWN

_JOIN = "; "
_COLUMNS = {"evidence_lines": "target_line", "evidence_effectors": "effector"}
_OWN_COLUMNS = {"evidence_lines": "lines", "evidence_effectors": "effectors"}


def evidence_origins(evidence: object, genes: Sequence[str] | pd.Index) -> dict[str, list[str]]:
    """Return the tumour lines and the killer cells behind the evidence of each gene.

    Parameters
    ----------
    evidence
        What is read; evidence that tells its ``lines`` and ``effectors`` gene by gene, or that
        comes out of the knowledge base.
    genes
        Approved symbols.

    Returns
    -------
    dict
        ``evidence_lines`` and ``evidence_effectors``, a text a gene, several joined by ``"; "``;
        empty for a gene without evidence or without a record.
    """
    by_gene = {name: pd.Series(dtype=object) for name in _COLUMNS}
    if isinstance(evidence, GeneEvidence):
        spoken = evidence.table[evidence.table["evidence"] != 0]
        if set(_OWN_COLUMNS.values()) <= set(spoken):
            by_gene = {name: spoken[own] for name, own in _OWN_COLUMNS.items()}
        elif isinstance(evidence.provenance, KnowledgeFacts):
            hits = known_hits()
            hits = hits[(hits["direction"] != UNKNOWN) & hits["gene"].isin(spoken.index)]
            by_gene = {
                name: hits.groupby("gene")[column].agg(lambda found: _JOIN.join(sorted(set(found))))
                for name, column in _COLUMNS.items()
            }
    return {name: [str(known.get(gene, "")) for gene in genes] for name, known in by_gene.items()}


def named_origins(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct names in texts of `evidence_origins`, sorted."""
    return tuple(sorted({name for text in texts for name in text.split(_JOIN) if name}))
