"""Layers of a population: one class for each kind of layer that mixes channels."""
