"""Figures of recording designs: comparisons and power analyses."""
