"""Make torchvision importable beside a torch that was built for the CPU alone.

torchvision's wheels are built for CUDA; beside a CPU torch their compiled operators do not load,
and ``import torchvision`` stops at registering shapes for an operator, ``nms``, that nobody defined.
Declaring the missing operators is enough: models, datasets and transforms never call them. Where
torchvision's own operators load, nothing is declared.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

_KEEP = []  # a library's declarations live as long as the object


@cache
def torchvision() -> ModuleType:
    """Import torchvision, whichever torch is installed."""
    import torch

    try:
        import torchvision as module
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEEP.append(library)
        import torchvision as module
    return module
