"""Large cohorts: their values stay on disk and are read some samples at a time."""

from nkpredict.io.expression.large._annotated import large_annotated
from nkpredict.io.expression.large._arranged import arranged_in_blocks
from nkpredict.io.expression.large._matrix import LargeMatrix, NotPlainError
from nkpredict.io.expression.large._parquet import large_parquet
from nkpredict.io.expression.large._text import large_text

__all__ = [
    "LargeMatrix",
    "NotPlainError",
    "arranged_in_blocks",
    "large_annotated",
    "large_parquet",
    "large_text",
]
