"""Losses, one to a file; each registers under the name that protocols use."""
