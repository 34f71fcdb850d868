"""Observables a probe can measure, one in a file, and the units it follows."""
