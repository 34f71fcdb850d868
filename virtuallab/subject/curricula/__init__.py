"""Curricula, one file each, registered under the name that protocols use."""
