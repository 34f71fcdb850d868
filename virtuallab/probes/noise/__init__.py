"""Noise of the instrument, and its calibration."""
