"""Import of torchvision beside a torch that was built for the CPU alone.

torchvision's wheels are built for CUDA. Beside a CPU torch their compiled operators do not load,
and ``import torchvision`` fails when it registers shapes for the missing operator ``nms``. It is
enough to declare the missing operators: models, datasets and transforms do not call them. Where
torchvision's own operators load, nothing is declared.
"""

from __future__ import annotations

import importlib
import threading
from types import ModuleType
from typing import Any

_DECLARED: list[Any] = []  # a library's declarations live as long as the object
_ONE_AT_A_TIME = threading.Lock()  # an operator can be declared only once


def torchvision() -> ModuleType:
    """Return torchvision, whichever torch is installed."""
    import torch

    with _ONE_AT_A_TIME:
        try:
            return importlib.import_module("torchvision")
        except RuntimeError as error:
            if "torchvision::nms does not exist" not in str(error):
                raise
        library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _DECLARED.append(library)
        return importlib.import_module("torchvision")
