"""Statistics that a probe computes only where it names them, one in a file."""
