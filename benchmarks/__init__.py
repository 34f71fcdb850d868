"""Speed and memory of virtuallab; each module here is run as ``python -m benchmarks.NAME``."""

import os

# Libraries read it as they are imported. Processor times of several threads include their waiting.
os.environ.setdefault("OMP_NUM_THREADS", "1")
