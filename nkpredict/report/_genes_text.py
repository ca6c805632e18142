"""What the lists of genes behind scores say, in sentences that claim no more than is known."""

from __future__ import annotations

import pandas as pd

from nkpredict.facts import ExplanationFacts
from nkpredict.figures import Scored, is_knowledge_only, optional, score_word
from nkpredict.report._formats import count, joined, percent
from nkpredict.report._gene_tables import SUPPORTED, clearly_lowering, is_whole_reference
from nkpredict.vocabulary import EvidenceReading, EvidenceRole

_NAMED = 5
_STUDIES_NAMED = 4
_MOST = 0.5


def gene_sentences(scores: Scored) -> list[str]:
    """Say which genes go with a lower score, which separate the samples, and on what that rests.

    Parameters
    ----------
    scores
        Explained scores.

    Returns
    -------
    list of str
        For summary and command line alike. An asterisk marks a gene whose direction an experiment
        with that gene supports; the others are associated with the score and no more.
    """
    against, separating = against_reference_words(scores), separating_words(scores)
    rest = evidence_words(scores)
    if "*" in against + separating:
        rest = f"* An experiment with this gene itself supports its direction. {rest}".strip()
    return [sentence for sentence in (against, separating, rest) if sentence]


def against_reference_words(scores: Scored) -> str:
    """Say which genes go with a lower score of the cohort than that of the reference."""
    reference = f"the average {'reference' if is_knowledge_only(scores) else 'training'} profile"
    one = len(scores.table) == 1
    what = "sample" if one else "cohort"
    if is_whole_reference(scores):
        return (
            f"These samples are those that {reference} is made of: on average no gene lowers them "
            "against it."
        )
    clear = clearly_lowering(scores)
    if clear.empty:
        return f"No gene clearly lowers this {what} against {reference}."
    return (
        f"Genes associated with a lower {score_word(scores)} of this {what}, against {reference}: "
        f"{_named(clear)}{_with_evidence(clear, scores)}.{_shifted(scores)}"
    )


def separating_words(scores: Scored) -> str:
    """Say which genes separate the samples of the cohort; empty when it is too small."""
    genes = optional(scores, "separating_genes")
    if genes.empty:
        return ""
    part = genes["share_of_difference"].head(_NAMED).sum()
    return (
        "Genes that separate the third of these samples with the lowest "
        f"{score_word(scores)} from the others: {_named(genes)}, together {percent(part)} of the "
        f"difference{_with_evidence(genes, scores)}."
    )


def evidence_words(scores: Scored) -> str:
    """Say where directions come from, what agreement with them is worth and in which lines."""
    known = scores.provenance.explanation
    if known is None:
        return ""
    if known.evidence_role == EvidenceRole.SOLE_SOURCE:
        sources = _sources(known)
        from_where = f"published experiments ({sources})" if sources else "published experiments"
        what = f"Directions are taken from {from_where}: that genes agree with them proves nothing."
    elif known.evidence_role == EvidenceRole.USED_IN_TRAINING:
        sources = _sources(known)
        which = f" ({sources})" if sources else ""
        what = (
            f"The model was trained with evidence of single genes{which} and points its way for "
            f"{known.genes_agreeing:,} of the {known.genes_compared:,} that it uses: agreement is "
            "partly built in and confirms nothing by itself."
        )
    else:
        what = (
            "The model was trained without evidence from experiments: its genes are associated "
            "with the response, and none is shown to cause it."
        )
    return f"{what} {lines_words(known)}".strip()


def lines_words(known: ExplanationFacts) -> str:
    """Say in which tumour lines and with which killer cells the evidence was measured."""
    if not known.target_lines:
        return ""
    cells = f", against {joined(known.effectors)}" if known.effectors else ""
    if len(known.target_lines) == 1:
        return (
            f"All evidence on these genes comes from one tumour line, {known.target_lines[0]}"
            f"{cells}: it says nothing about genes this line hardly expresses, and other tumours "
            "may differ."
        )
    words = (
        f"Evidence on these genes comes from {count(len(known.target_lines), 'tumour line')}{cells}"
    )
    alone = dict(known.genes_of_one_line)
    if not alone:
        return f"{words}, of two lines at least for each gene."
    most = max(alone, key=lambda line: alone[line])
    return (
        f"{words}; for {sum(alone.values()):,} of {known.genes_with_lines:,} genes it comes from "
        f"one line alone, most often {most} ({alone[most]:,})."
    )


def mostly_outside(scores: Scored) -> bool:
    """Whether most profiles are unlike what the model was made from."""
    return bool((~scores.table["in_domain"].astype(bool)).mean() > _MOST)


def _shifted(scores: Scored) -> str:
    if not mostly_outside(scores):
        return ""
    outside = ~scores.table["in_domain"].astype(bool)
    kind = "reference" if is_knowledge_only(scores) else "training"
    return (
        f" {int(outside.sum()):,} of {count(len(outside), 'profile')} lie outside the {kind} "
        "domain: a shift between platforms alone can make such a list."
    )


def _with_evidence(genes: pd.DataFrame, scores: Scored) -> str:
    known = scores.provenance.explanation
    if known is not None and known.evidence_role == EvidenceRole.NONE:
        return ""
    own = int((genes["evidence_reading"] != EvidenceReading.NO_EVIDENCE).sum())
    verb = "has" if own == 1 else "have"
    return f"; {own:,} of the {count(len(genes), 'gene')} listed {verb} evidence of their own"


def _named(genes: pd.DataFrame) -> str:
    top = genes.head(_NAMED)
    stars = top["evidence_reading"].isin(SUPPORTED)
    return joined(
        f"{gene}{'*' if star else ''}" for gene, star in zip(top["gene"], stars, strict=True)
    )


def _sources(known: ExplanationFacts) -> str:
    names = list(known.studies) or list(known.screens)
    if len(names) <= _STUDIES_NAMED:
        return joined(names) if names else ""
    kind = "studies" if known.studies else "screens"
    return f"{', '.join(names[:_STUDIES_NAMED])} and {len(names) - _STUDIES_NAMED} more {kind}"
