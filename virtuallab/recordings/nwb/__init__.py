"""Recordings in NWB files (Neurodata Without Borders)."""

__all__ = ["intervals", "responses", "session_file", "sessions", "table"]
