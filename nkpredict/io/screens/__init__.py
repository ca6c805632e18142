"""Readers of CRISPR screen tables, in every layout that the field uses."""

from nkpredict.io.screens._formats import SCREEN_COLUMNS
from nkpredict.io.screens._metadata import ScreenMetadata
from nkpredict.io.screens._sample_sheet import SampleSheet
from nkpredict.io.screens._tables import read_screen_tables

__all__ = [
    "SCREEN_COLUMNS",
    "SampleSheet",
    "ScreenMetadata",
    "read_screen_tables",
]
