"""Recording devices, one in a file."""
