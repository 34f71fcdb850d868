"""Noise models, one in a file."""
