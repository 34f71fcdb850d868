"""Null models, one in a file."""
