"""What all benchmarks share: networks, timing in turns, the machine's limits, memory, tables."""
