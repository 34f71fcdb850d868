"""Networks of a cohort: layers with a subject axis, pathways of signals, and parameters."""
