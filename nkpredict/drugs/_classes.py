"""What classes of drugs with one mechanism do to NK cells, and what is known of single drugs."""

from __future__ import annotations

from functools import cache

import pandas as pd

from nkpredict.drugs._names import name_of_drug
from nkpredict.drugs._vocabulary import MEASURED_WITH_NK_CELLS, plain_words
from nkpredict.errors import InputError, name_some
from nkpredict.io import read_shipped_table
from nkpredict.vocabulary import UNKNOWN, NKLiability

CLASS_COLUMNS = (
    "mechanism_class",
    "cytotoxic",
    "nk_liability",
    "nk_liability_source",
    "words",
    "note",
)
CYTOTOXIC = ("yes", "no", UNKNOWN)
"""Whether drugs of a class kill or stop dividing cells of many kinds."""

# of a drug without class
_JUDGEMENT = {"cytotoxic": UNKNOWN, "nk_liability": UNKNOWN, "nk_liability_source": ""}
_SEVERITY = (
    NKLiability.HARMS,
    NKLiability.MIXED,
    NKLiability.UNKNOWN,
    NKLiability.SPARES,
    NKLiability.HELPS,
)


def drug_classes() -> pd.DataFrame:
    """Return the shipped mechanism classes and what they do to NK cells.

    Returns
    -------
    pandas.DataFrame
        One row per class, columns as in :data:`CLASS_COLUMNS`, all text: ``cytotoxic``
        (``yes`` or ``no``), ``nk_liability`` (`NKLiability`) with its sources (empty when
        unknown), the ``words`` by which tables name the class (separated by ``|``) and a
        ``note``. A copy, free to be changed.

    Raises
    ------
    InputError
        When the shipped file was altered.
    """
    return _shipped().copy()


@cache
def known_drugs() -> pd.DataFrame:
    """Return what is known of each shipped drug; not to be changed.

    What a drug does to NK cells is its own measurement where there is one, else the judgement of
    its class, marked ``class: …`` in the source.

    Returns
    -------
    pandas.DataFrame
        Index = name in lower case. Columns ``drug``, ``modality``, ``highest_phase``,
        ``approved_blood_cancers``, ``mechanism_class``, ``cytotoxic``, ``nk_liability``,
        ``nk_liability_source``, ``measured_with_nk_cells`` and its source.

    Raises
    ------
    InputError
        When the shipped file was altered.
    """
    table = read_shipped_table("drugs.csv")
    classes = _shipped().set_index("mechanism_class")
    foreign = set(table["mechanism_class"]) - set(classes.index) - {""}
    foreign |= set(table["measured_with_nk_cells"]) - set(MEASURED_WITH_NK_CELLS)
    if foreign or table["drug"].map(str.casefold).duplicated().any():
        raise InputError(
            "The shipped table of drugs names a drug twice or has an unknown class or measurement "
            f"({name_some(sorted(foreign))}); install nkpredict anew."
        )
    return with_class(table.set_index(table["drug"].map(str.casefold)).rename_axis("key"))


def with_class(drugs: pd.DataFrame) -> pd.DataFrame:
    """Give drugs that were not judged themselves the judgement of their class.

    Parameters
    ----------
    drugs
        One row per drug: ``mechanism_class`` (empty if none), ``nk_liability`` (empty or
        ``unknown`` where not judged), ``nk_liability_source`` and, when there, ``cytotoxic``.

    Returns
    -------
    pandas.DataFrame
        The same drugs, ``cytotoxic``, ``nk_liability`` and ``nk_liability_source`` filled.
    """
    classes = _shipped().set_index("mechanism_class")[list(_JUDGEMENT)]
    inherited = classes.reindex(drugs["mechanism_class"]).set_axis(drugs.index).astype(object)
    for name, silent in _JUDGEMENT.items():
        inherited[name] = inherited[name].where(inherited[name].notna(), silent)
    source = inherited["nk_liability_source"]
    source = ("class: " + drugs["mechanism_class"] + ", " + source).where(source != "", "")
    unjudged = drugs["nk_liability"].isin(("", UNKNOWN))
    stated = drugs["cytotoxic"] if "cytotoxic" in drugs else pd.Series(UNKNOWN, drugs.index)
    return drugs.assign(
        cytotoxic=stated.mask(stated == UNKNOWN, inherited["cytotoxic"]),
        nk_liability=drugs["nk_liability"].mask(unjudged, inherited["nk_liability"]),
        nk_liability_source=drugs["nk_liability_source"].mask(unjudged, source),
    )


@cache
def class_named_in(mechanisms: str) -> str:
    """Find the class that the words of a table name.

    Parameters
    ----------
    mechanisms
        Mechanisms of a drug, separated by ``|``.

    Returns
    -------
    str
        The class whose words are the whole of a mechanism; of several the one that does most harm
        to NK cells. Empty when none is named.
    """
    words, liability = _classes_by_words(), _liabilities()
    plain = {plain_words(part) for part in mechanisms.split("|")}
    named = {words[name] for name in plain if name in words}
    return min(named, key=lambda name: (_SEVERITY.index(liability[name]), name), default="")


def drug_keys(drugs: pd.Series) -> pd.Series:
    """Return what tells drugs apart: their one name in lower case."""
    return drugs.map(name_of_drug).str.casefold()


@cache
def _classes_by_words() -> dict[str, str]:
    classes = _shipped()
    pairs = zip(classes["words"], classes["mechanism_class"], strict=True)
    return {plain_words(word): name for words, name in pairs for word in words.split("|") if word}


@cache
def _liabilities() -> dict[str, NKLiability]:
    classes = _shipped()
    pairs = zip(classes["mechanism_class"], classes["nk_liability"], strict=True)
    return {name: NKLiability(liability) for name, liability in pairs}


@cache
def _shipped() -> pd.DataFrame:
    table = read_shipped_table("drug_classes.csv")
    wrong = [name for name in CLASS_COLUMNS if name not in table]
    if not wrong:
        unsourced = (table["nk_liability"] == UNKNOWN) != (table["nk_liability_source"] == "")
        unsourced |= ~table["nk_liability"].isin(list(NKLiability))
        unsourced |= ~table["cytotoxic"].isin(CYTOTOXIC) | table["mechanism_class"].duplicated()
        wrong = table.loc[unsourced, "mechanism_class"].tolist()
    if wrong:
        raise InputError(
            f"The shipped table of drug classes breaks its rules ({name_some(wrong)}); install "
            "nkpredict anew."
        )
    return table
