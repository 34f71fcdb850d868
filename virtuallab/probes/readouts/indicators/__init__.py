"""Activity indicators, one in a file."""
