"""Recordings in the format of Neurodata Without Borders."""
