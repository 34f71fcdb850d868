"""Messages of faults: what is wrong, what was found, what to write."""
