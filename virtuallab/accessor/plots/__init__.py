"""Plots of one recording."""
