"""Messages on faults of a protocol: the fault, the value found, and what to write instead."""
