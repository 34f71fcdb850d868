"""Intervals, calibration, prediction sets, novelty, and comparison of decoders."""
