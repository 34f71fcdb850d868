"""Samples and their columns, from features of recordings."""
