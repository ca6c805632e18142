"""What drugs do to genes: the words of the databases brought to one vocabulary."""

from __future__ import annotations

import re

UNKNOWN = "unknown"

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

PHASES = ("approved", "phase 3", "phase 2", "phase 1", "preclinical", UNKNOWN)
"""Highest first. A trial of phases 2 and 3 counts as phase 3, one of phases 1 and 2 as phase 2."""

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
FAMILY_WORDS = {
    "acetylcholine receptor": ("CHRM", "CHRN"),
    "acetylcholinesterase": ("ACHE",),
    "adenosine receptor": ("ADORA",),
    "adrenergic receptor": ("ADRA", "ADRB"),
    "androgen receptor": ("AR",),
    "angiotensin": ("AGTR", "ACE"),
    "aurora kinase": ("AURK",),
    "bcr-abl": ("ABL1", "BCR"),
    "benzodiazepine receptor": ("GABR",),
    "bromodomain": ("BRD",),
    "calcineurin": ("PPP3",),
    "calcium channel": ("CACN",),
    "cannabinoid receptor": ("CNR",),
    "carbonic anhydrase": ("CA",),
    "chk inhibitor": ("CHEK",),
    "cyclooxygenase": ("PTGS",),
    "dihydrofolate reductase": ("DHFR",),
    "dna methyltransferase": ("DNMT",),
    "dopamine receptor": ("DRD",),
    "ephrin": ("EPHA", "EPHB"),
    "estrogen receptor": ("ESR",),
    "exportin": ("XPO",),
    "gaba receptor": ("GABR", "GABBR"),
    "gamma secretase": ("PSEN", "NCSTN", "APH1", "PSENEN"),
    "glucocorticoid receptor": ("NR3C1",),
    "glutamate receptor": ("GRI", "GRM"),
    "glycogen synthase kinase": ("GSK3",),
    "histamine receptor": ("HRH",),
    "histone lysine methyltransferase": ("EZH", "DOT1L", "EHMT", "KMT2", "SETD"),
    "iap antagonist": ("XIAP", "BIRC"),
    "inosine monophosphate dehydrogenase": ("IMPDH",),
    "isocitrate dehydrogenase": ("IDH",),
    "lysine specific demethylase": ("KDM",),
    "matrix metalloprotease": ("MMP",),
    "mdm inhibitor": ("MDM",),
    "mek inhibitor": ("MAP2K",),
    "mineralocorticoid receptor": ("NR3C2",),
    "monoamine oxidase": ("MAOA", "MAOB"),
    "nedd": ("NAE1", "UBA3"),
    "nitric oxide synthase": ("NOS",),
    "norepinephrine reuptake": ("SLC6A2",),
    "opioid receptor": ("OPR",),
    "p38 mapk": ("MAPK11", "MAPK12", "MAPK13", "MAPK14"),
    "phosphodiesterase": ("PDE",),
    "pi3k": ("PIK3",),
    "pkc": ("PRKC",),
    "potassium channel": ("KCN",),
    "progesterone receptor": ("PGR",),
    "proteasome": ("PSM",),
    "protein arginine methyltransferase": ("PRMT",),
    "retinoid receptor": ("RAR", "RXR"),
    "rho associated kinase": ("ROCK",),
    "ribonucleotide reductase": ("RRM",),
    "serotonin receptor": ("HTR",),
    "serotonin reuptake": ("SLC6A4",),
    "smoothened": ("SMO",),
    "sodium channel": ("SCN",),
    "thymidylate synthase": ("TYMS",),
    "topoisomerase": ("TOP",),
    "tubulin": ("TUB",),
    "tumor necrosis factor": ("TNF",),
    "vegfr": ("KDR", "FLT1", "FLT4"),
}
"""Words of mechanisms → how the symbols of the genes they mean begin."""

# Words that say nothing of the gene although symbols begin like some of them.
_GENERAL_WORDS = frozenset(
    {
        "activator",
        "agent",
        "agonist",
        "antagonist",
        "blocker",
        "channel",
        "enzyme",
        "factor",
        "growth",
        "inducer",
        "inhibitor",
        "kinase",
        "modulator",
        "partial",
        "protein",
        "receptor",
        "selective",
        "stimulant",
        "transporter",
        "tyrosine",
    }
)
_LEADING_LETTERS = re.compile(r"[A-Z]+")
_WORD = re.compile(r"[a-z0-9]+")
_ABBREVIATION = re.compile(r"\s*\([^()]*\)\s*$")
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
    statements = [part.strip().strip('"').lower() for part in _SEVERAL.split(mechanism)]
    actions = [_single_action(statement) for statement in statements if statement]
    known = [action for action in actions if action != UNKNOWN]
    if len({EFFECT_OF_ACTION[action] for action in known}) != 1:
        told = [action for action in known if EFFECT_OF_ACTION[action] in ("lowers", "raises")]
        # "antibody, inhibitor" says more than its first word, "agonist, antagonist" contradicts
        return told[0] if len({EFFECT_OF_ACTION[action] for action in told}) == 1 else UNKNOWN
    return known[0]


def action_on_gene(mechanism: str, gene: str) -> str:
    """Read what a drug does to one of its targets from the mechanisms stated for the drug.

    A table that states mechanisms of drugs and lists their targets beside them does not say which
    belongs to which: rasagiline, a monoamine oxidase inhibitor, has BCL2 among its targets. A
    statement is taken for a gene when one of its words begins like the symbol (four letters, or
    the letters before the number when these are three), or when :data:`FAMILY_WORDS` names the
    gene.

    Parameters
    ----------
    mechanism
        Statements about the drug, separated by ``|``.
    gene
        Symbol of the target.

    Returns
    -------
    str
        As :func:`action_of`.
    """
    statements = mechanism.split("|")
    return action_of("|".join(part for part in statements if _names(part.lower(), gene)))


def _names(statement: str, gene: str) -> bool:
    letters = _LEADING_LETTERS.match(gene)
    root = letters[0].lower()[:4] if letters else ""
    words = [word for word in _WORD.findall(statement) if word not in _GENERAL_WORDS]
    if len(root) >= 3 and any(word.startswith(root) for word in words):
        return True
    return any(
        word in statement and gene.startswith(beginnings)
        for word, beginnings in FAMILY_WORDS.items()
    )


def _single_action(statement: str) -> str:
    plain = _ABBREVIATION.sub("", statement).strip().replace("_", " ")
    for ending, action in _ENDINGS:
        if plain == ending or plain.endswith(f" {ending}"):
            before = plain.removesuffix(ending).strip()
            return UNKNOWN if _PROCESS_END.search(before) else action
    return UNKNOWN


def phase_of(text: str) -> str:
    """Bring a stage of development to one vocabulary.

    Parameters
    ----------
    text
        For example ``"Launched"``, ``"Phase 2/Phase 3"``, ``"4.0"`` or ``"Phase III"``.

    Returns
    -------
    str
        One of :data:`PHASES`. A drug withdrawn from the market was approved once.
    """
    plain = text.strip().lower()
    if plain in ("approved", "launched", "withdrawn", "true"):
        return "approved"
    if plain.startswith("preclinical"):
        return "preclinical"
    for roman, number in _ROMAN:
        plain = re.sub(rf"\b{roman}\b", number, plain)
    if plain.startswith("-"):
        return UNKNOWN
    numbers = [float(number) for number in _PHASE_NUMBER.findall(plain)]
    if not numbers or max(numbers) > 4:
        return UNKNOWN
    # ChEMBL's 0.5 is an early phase 1
    best = max(numbers)
    return ("preclinical", "phase 1", "phase 2", "phase 3", "approved")[
        1 if 0 < best < 1 else int(best)
    ]


def modality_of(text: str) -> str:
    """Bring a kind of molecule to one vocabulary, ``unknown`` when it is in none."""
    plain = text.strip().lower().replace("-", " ")
    return _MODALITY_WORDS.get(plain, plain if plain in MODALITIES else UNKNOWN)
