"""Recording designs evaluated in the same preserved subjects."""
