"""One name for a drug: its international nonproprietary name, also where a table has a code."""

from __future__ import annotations

import re
from functools import cache

import pandas as pd

from nkpredict.io import read_shipped_table

SYNONYM_COLUMNS = ("drug", "synonym")

_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
# the four letters that the FDA adds to the names of biological drugs, as in nivolumab-nvhy
_FDA_SUFFIX = re.compile(r"-[a-z]{4}$")
# named after the drug in a salt; the drug is the same
_SALTS = re.compile(
    r"\s(?:(?:mono|di|tri|hemi)?(?:hydrochloride|hydrobromide|mesylate|mesilate|tosylate|tosilate"
    r"|besylate|esylate|phosphate|sulfate|sulphate|maleate|malate|fumarate|succinate|citrate"
    r"|tartrate|acetate|lactate|pamoate|sodium|potassium|calcium|hydrate)\s?)+$"
)


def drug_synonyms() -> pd.DataFrame:
    """Return the shipped code names and other names of drugs.

    Returns
    -------
    pandas.DataFrame
        One row per synonym, columns as in :data:`SYNONYM_COLUMNS`; ``drug`` is the name that the
        shipped table of drugs has. A copy, free to be changed.
    """
    return _shipped().copy()


@cache
def name_of_drug(name: str) -> str:
    """Bring a name to that of the shipped table: ``"NVP-LCL161"`` is ``"LCL161"``.

    Case, spaces and hyphens count for nothing; salts, the letters that the FDA adds to biological
    drugs and a remark in brackets at the end are left out where what remains is known.

    Parameters
    ----------
    name
        A code, a salt or another name.

    Returns
    -------
    str
        The name in the shipped table; as it stands when that has no such drug.
    """
    known = _known()
    plain = name.strip()
    bare = _BRACKETS.sub("", plain.casefold())
    for form in (plain, bare, _FDA_SUFFIX.sub("", bare), _SALTS.sub("", bare)):
        if (found := known.get(_key(form))) is not None:
            return found
    return plain


@cache
def _shipped() -> pd.DataFrame:
    return read_shipped_table("drug_synonyms.csv")


@cache
def _known() -> dict[str, str]:
    names = {_key(drug): drug for drug in read_shipped_table("drugs.csv")["drug"]}
    table = _shipped()
    return {**dict(zip(map(_key, table["synonym"]), table["drug"], strict=True)), **names}


def _key(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
