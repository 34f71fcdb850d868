"""Importance of statistics, reliability of predictions, and estimates of metaparameters."""
