"""A process that trains and times itself: ``python -m benchmarks.implementations.worker KIND``.

Reads requests from its standard input and answers each with one line of JSON.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.implementations.implementation import (
    CHECKED,
    KINDS,
    Implementation,
    NotPossible,
)
from benchmarks.measuring.memory import resident

WARM = 2  # steps before anything is timed


class Worker:
    """Answers to requests, of which each is a method with its arguments."""

    def __init__(self, kind: str) -> None:
        self._kind = KINDS[kind]
        self._made: Implementation | None = None

    def load(self, net: str, rule: str, size: int) -> dict[str, Any]:
        """Make the networks in place of those before; the losses of their first steps."""
        self.unload()
        try:
            self._made = self._kind.make(net, rule, size)
        except NotPossible as problem:
            return {"problem": str(problem)}
        losses = self._made.first_losses(CHECKED)
        self._made.train(WARM)
        return {"losses": losses, "memory": resident(os.getpid())}

    def calibrate(self, seconds: float) -> dict[str, Any]:
        """Steps that take about so much processor time, for which all is compiled."""
        made, steps = self._loaded(), 1
        while True:
            made.prepare(steps)
            took = self.turn(steps)["seconds"]
            if took >= seconds / 4 or took / steps >= seconds:
                break
            steps *= 4
        steps = max(1, round(seconds * steps / took))
        made.prepare(steps)
        return {"steps": steps, "seconds": took / steps}

    def turn(self, steps: int) -> dict[str, Any]:
        """Processor time and elapsed time of so many steps."""
        made = self._loaded()
        began, clock = time.process_time(), time.perf_counter()
        made.train(steps)
        return {"seconds": time.process_time() - began, "elapsed": time.perf_counter() - clock}

    def unload(self) -> dict[str, Any]:
        """Forget the networks."""
        self._made = None
        gc.collect()
        return {}

    def _loaded(self) -> Implementation:
        if self._made is None:
            raise RuntimeError("No network is loaded.")
        return self._made


def main() -> None:
    """Answer requests until the input ends."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    import torch

    from virtuallab.lab.services.allocator import keep_freed_memory

    torch.set_num_threads(1)
    keep_freed_memory()  # as the commands do; all implementations have it
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(getattr(worker, name)(*arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main()
