"""Plots of one recording."""

__all__ = ["drift", "heatmaps", "single_subject"]
