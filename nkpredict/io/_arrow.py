"""Parquet and Feather files as DataFrames, checked before pandas follows what they point to."""

from __future__ import annotations

from pathlib import Path
from typing import IO, cast

import pandas as pd

from nkpredict.errors import in_words


def read_arrow(source: Path | IO[bytes], *, feather: bool = False) -> pd.DataFrame:
    """Read a Parquet or Feather file.

    Feather is Arrow's memory as it stands: a damaged offset in it would lead pandas to memory that
    is not its own, and end the process.

    Raises
    ------
    ValueError
        When the file is damaged, in the words of the library.
    """
    from pyarrow.feather import read_table as read_feather
    from pyarrow.parquet import read_table as read_parquet

    try:
        table = read_feather(source) if feather else read_parquet(source, use_pandas_metadata=True)
        table.validate(full=True)
        return cast(pd.DataFrame, table.to_pandas())
    except Exception as error:  # beside Arrow, pandas stumbles over metadata in many ways
        raise ValueError(in_words(error)) from error
