"""Expression profiles from any format and source, by one way for all."""

from nkpredict.io.expression._read import ReadingOptions, read_expression, read_profiles

__all__ = ["ReadingOptions", "read_expression", "read_profiles"]
