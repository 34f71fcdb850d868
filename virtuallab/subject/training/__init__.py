"""Training of a cohort, its evaluation, and the checks before it starts."""
