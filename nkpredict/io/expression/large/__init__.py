"""Large cohorts: their values stay on disk and are read some samples at a time."""

from nkpredict.io.expression.large._annotated import large_annotated
from nkpredict.io.expression.large._arranged import arranged_in_blocks
from nkpredict.io.expression.large._loom import large_loom
from nkpredict.io.expression.large._matrix import LargeMatrix, NotPlainError, StoredValues
from nkpredict.io.expression.large._parquet import large_parquet
from nkpredict.io.expression.large._text import (
    TextHead,
    large_text,
    text_head,
    text_lines,
    text_part,
)

__all__ = [
    "LargeMatrix",
    "NotPlainError",
    "StoredValues",
    "TextHead",
    "arranged_in_blocks",
    "large_annotated",
    "large_loom",
    "large_parquet",
    "large_text",
    "text_head",
    "text_lines",
    "text_part",
]
