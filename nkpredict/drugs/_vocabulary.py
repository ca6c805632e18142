"""What drugs do to genes: the words of the databases brought to one vocabulary."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache

import pandas as pd

from nkpredict.io import approved_symbols, read_shipped_table
from nkpredict.vocabulary import UNKNOWN

EFFECT_OF_ACTION = {
    "inhibitor": "lowers",
    "antagonist": "lowers",
    "blocking antibody": "lowers",
    "degrader": "lowers",
    "suppressor": "lowers",
    "agonist": "raises",
    "activator": "raises",
    "inducer": "raises",
    "depleting": "none",
    "modulator": "mixed",
    "binder": "mixed",
    UNKNOWN: UNKNOWN,
}
"""Action → what it does to the gene's function: ``lowers``, ``raises``, ``none`` (the cells that
carry the protein are killed), ``mixed`` or ``unknown``. A suppressor or an inducer changes the
amount of the protein, the others its function."""


class Phase(StrEnum):
    """Highest first. A trial of phases 2 and 3 counts as phase 3, one of 1 and 2 as phase 2."""

    APPROVED = "approved"
    THREE = "phase 3"
    TWO = "phase 2"
    ONE = "phase 1"
    PRECLINICAL = "preclinical"
    UNKNOWN = UNKNOWN


class Relation(StrEnum):
    """Whether a drug binds the gene's product or its receptor, ligand or pathway partner.

    Otherwise it changes its amount.
    """

    DIRECT = "direct"
    PARTNER = "partner"
    EXPRESSION = "expression"
    UNKNOWN = UNKNOWN


MODALITIES = (
    "small molecule",
    "epigenetic inhibitor",
    "degrader",
    "antibody",
    "antibody-drug conjugate",
    "radioimmunoconjugate",
    "bispecific antibody",
    "fusion protein",
    "immunotoxin",
    "cytokine",
    "cell therapy",
    "oligonucleotide",
    "peptide",
    "enzyme",
    "protein",
    "vaccine",
    UNKNOWN,
)

MEASURED_WITH_NK_CELLS = (
    "yes: enhances killing",
    "yes: impairs killing",
    "yes: both seen",
    "yes: no change seen",
    "no",
    UNKNOWN,
)
"""Whether the drug was tried with NK cells against tumour cells, and what was seen. ``no``: no
publication is on record here, which is not the same as none."""

# The end of a mechanism → action, the first that fits: "AXL inhibitor", "ANTISENSE INHIBITOR".
# The order matters where one phrase is the end of another.
_ENDINGS = (
    ("inverse agonist", "inhibitor"),
    ("partial agonist", "modulator"),
    ("agonist", "agonist"),
    ("antagonist", "antagonist"),
    ("antisense inhibitor", "suppressor"),
    ("antisense oligonucleotide inhibitor", "suppressor"),
    ("antisense oligonucleotide", "suppressor"),
    ("antisense", "suppressor"),
    ("rnai inhibitor", "suppressor"),
    ("suppressor", "suppressor"),
    ("negative allosteric modulator", "inhibitor"),
    ("inhibitory allosteric modulator", "inhibitor"),
    ("negative modulator", "inhibitor"),
    ("positive allosteric modulator", "activator"),
    ("positive modulator", "activator"),
    ("allosteric modulator", "modulator"),
    ("modulator", "modulator"),
    ("inhibitor", "inhibitor"),
    ("blocker", "inhibitor"),
    ("degrader", "degrader"),
    ("activator", "activator"),
    ("opener", "activator"),
    ("stimulator", "activator"),
    ("potentiator", "activator"),
    ("inducer", "inducer"),
    ("binding agent", "binder"),
    ("binder", "binder"),
    ("antibody", "binder"),
    ("ligand", "binder"),
)
# "apoptosis inhibitor" or "DNA synthesis inhibitor" name a process, not what happens to the gene.
_PROCESSES = (
    "apoptosis|angiogenesis|autophagy|cell cycle|differentiation|expression|formation|growth"
    "|metabolism|mitotic|permeability|polymerization|production|proliferation|release|secretion"
    "|signaling|stem cell|stress|biosynthesis|synthesis|wall"
)
_PROCESS_END = re.compile(rf"(?:^|\s)(?:{_PROCESSES})$")
GENE_GROUP_COLUMNS = ("group", "words", "genes", "hgnc_group", "source")
# Left out at the ends of a name: "ATR kinase", "ALK tyrosine kinase receptor", "CFTR channel".
# "receptor" alone is not: the receptor of a protein is another gene.
_GENERAL_BEFORE = ("selective ",)
_GENERAL_AFTER = (" tyrosine kinase receptor", " tyrosine kinase", " kinase", " channel")
_WORD = re.compile(r"[a-z0-9]+")
_ABBREVIATION = re.compile(r"\s*\([^()]*\)\s*$")
_IN_BRACKETS = re.compile(r"\(([^()]*)\)")
_SEVERAL = re.compile(r"[|,;]")
_PHASE_NUMBER = re.compile(r"(?<![\d.])(\d(?:\.\d+)?)(?![\d.])")
_ROMAN = (("iv", "4"), ("iii", "3"), ("ii", "2"), ("i", "1"))
_MODALITY_WORDS = {
    "small molecule": "small molecule",
    "antibody": "antibody",
    "antibody drug conjugate": "antibody-drug conjugate",
    "oligonucleotide": "oligonucleotide",
    "cell": "cell therapy",
    "gene": UNKNOWN,
    "enzyme": "enzyme",
    "protein": "protein",
}


def action_of(mechanism: str) -> str:
    """Read an action from the words of a database, by their endings.

    Parameters
    ----------
    mechanism
        For example ``"CDK inhibitor|JAK inhibitor"`` or ``"NEGATIVE ALLOSTERIC MODULATOR"``;
        several statements are separated by ``|``, ``,`` or ``;``.

    Returns
    -------
    str
        A key of :data:`EFFECT_OF_ACTION`; ``unknown`` when no statement ends in a known word, when
        it names a process, or when the statements contradict each other. Nothing is guessed.
    """
    actions = [_parted(statement)[1] for statement in _SEVERAL.split(mechanism)]
    known = [action for action in actions if action != UNKNOWN]
    if len({EFFECT_OF_ACTION[action] for action in known}) != 1:
        signed = [action for action in known if EFFECT_OF_ACTION[action] in ("lowers", "raises")]
        # "antibody, inhibitor" says more than its first word, "agonist, antagonist" contradicts
        return signed[0] if len({EFFECT_OF_ACTION[action] for action in signed}) == 1 else UNKNOWN
    return known[0]


def action_on_gene(mechanism: str, gene: str) -> str:
    """Read what a drug does to one of its targets from the mechanisms stated for the drug.

    A table that states mechanisms of drugs and lists their targets beside them does not say which
    belongs to which: rasagiline, a monoamine oxidase inhibitor, has BCL2 among its targets. A
    statement is taken for a gene when the whole of what stands before the action is its symbol or
    names a group of :func:`gene_groups` that the gene is in; of other genes nothing is said.

    Parameters
    ----------
    mechanism
        Statements about the drug, separated by ``|``.
    gene
        Approved symbol of the target.

    Returns
    -------
    str
        As :func:`action_of`.
    """
    statements = mechanism.split("|")
    return action_of("|".join(part for part in statements if gene in _genes_of(part)))


@cache
def gene_groups() -> pd.DataFrame:
    """Return the shipped groups of genes that mechanisms name by words.

    Returns
    -------
    pandas.DataFrame
        One row per group, columns as in :data:`GENE_GROUP_COLUMNS`, all text; ``words``, ``genes``
        (approved symbols) and ``hgnc_group`` (number of HGNC's gene group, empty when unknown)
        hold several values separated by ``|``.
    """
    return read_shipped_table("gene_groups.csv")


@cache
def _members() -> dict[str, frozenset[str]]:
    """Words of the groups and symbols → the genes they name."""
    named = {plain_words(symbol): frozenset({symbol}) for symbol in approved_symbols()}
    groups = gene_groups()
    for words, genes in zip(groups["words"], groups["genes"], strict=True):
        members = frozenset(genes.split("|"))
        named |= {plain_words(word): members for word in words.split("|")}
    return named


@cache
def _genes_of(statement: str) -> frozenset[str]:
    """Genes of the group or symbol that a statement such as ``"AXL kinase inhibitor"`` names."""
    before, _ = _parted(statement)
    named = _members()
    for name in (before, _IN_BRACKETS.sub(" ", before), *_IN_BRACKETS.findall(before)):
        whole = plain_words(name)
        for general in _GENERAL_BEFORE:
            whole = whole.removeprefix(general)
        for general in ("", *_GENERAL_AFTER):
            if whole.endswith(general) and (short := whole.removesuffix(general)) in named:
                return named[short]
    return frozenset()


def plain_words(name: str) -> str:
    """Return the words of a name in lower case, without marks."""
    return " ".join(_WORD.findall(name.lower().replace("'", "")))


def _parted(statement: str) -> tuple[str, str]:
    """Part a statement into what stands before its action, and the action."""
    plain = _ABBREVIATION.sub("", statement.strip().strip('"').lower()).strip().replace("_", " ")
    for ending, action in _ENDINGS:
        if plain == ending or plain.endswith(f" {ending}"):
            before = plain.removesuffix(ending).strip()
            return before, UNKNOWN if _PROCESS_END.search(before) else action
    return plain, UNKNOWN


def phase_of(text: str) -> Phase:
    """Bring a stage of development to one vocabulary.

    Parameters
    ----------
    text
        For example ``"Launched"``, ``"Phase 2/Phase 3"``, ``"4.0"`` or ``"Phase III"``.

    Returns
    -------
    str
        One of `Phase`. A drug withdrawn from the market was approved once.
    """
    plain = text.strip().lower()
    if plain in ("approved", "launched", "withdrawn", "true"):
        return Phase.APPROVED
    if plain.startswith("preclinical"):
        return Phase.PRECLINICAL
    for roman, number in _ROMAN:
        plain = re.sub(rf"\b{roman}\b", number, plain)
    if plain.startswith("-"):
        return Phase.UNKNOWN
    numbers = [float(number) for number in _PHASE_NUMBER.findall(plain)]
    if not numbers or max(numbers) > 4:
        return Phase.UNKNOWN
    # ChEMBL's 0.5 is an early phase 1
    best = max(numbers)
    rising = (Phase.PRECLINICAL, Phase.ONE, Phase.TWO, Phase.THREE, Phase.APPROVED)
    return rising[1 if 0 < best < 1 else int(best)]


def modality_of(text: str) -> str:
    """Bring a kind of molecule to one vocabulary, ``unknown`` when it is in none."""
    plain = text.strip().lower().replace("-", " ")
    return _MODALITY_WORDS.get(plain, plain if plain in MODALITIES else UNKNOWN)
