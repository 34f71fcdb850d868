"""Recordings in NWB files (Neurodata Without Borders)."""
