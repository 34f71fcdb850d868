"""Searches for settings by which subjects learn best."""
