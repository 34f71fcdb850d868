"""Disturbances of a recording: instrument noise, spike counts, calcium fluorescence."""
