"""Scoring of predictions that a decoder of any kind wrote."""
