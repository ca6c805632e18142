"""How tables of the knowledge base are checked."""

from __future__ import annotations

import re

import pandas as pd

from nkpredict.errors import InputError, name_some

DOI = re.compile(r"^10\.\d{4,9}/\S+$")


def refuse_rows(name: str, table: pd.DataFrame, wrong: pd.Series, what: str) -> None:
    """Refuse a table in which rows are wrong.

    Parameters
    ----------
    name
        What the table lists.
    table
        With a column ``gene``.
    wrong
        Which rows are wrong.
    what
        What is wrong with them, to follow "has".

    Raises
    ------
    InputError
        When any row is wrong; it names some of their genes.
    """
    if wrong.any():
        raise InputError(
            f"The table of {name} has {what} in {int(wrong.sum())} rows "
            f"({name_some(table.loc[wrong, 'gene'].unique())}). Mend these rows."
        )
