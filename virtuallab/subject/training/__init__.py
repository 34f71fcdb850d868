"""Training of a cohort, its evaluation, and the checks that come before it."""
