"""Runnable scripts: training, benchmarks and the making of reference tables."""
