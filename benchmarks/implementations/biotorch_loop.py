"""A loop over modules with BioTorch's layers for feedback alignment."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

from biotorch.module.converter import ModuleConverter
from torch import nn

from benchmarks.implementations.module_loop import ModuleLoop


class BioTorchLoop(ModuleLoop):
    """One module of the loop, converted by BioTorch with the same weights."""

    def converted(self, module: nn.Module) -> nn.Module:
        """Module with BioTorch's convolutions and dense layers."""
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d) and layer.padding == "same":
                # BioTorch computes the gradient from the number of pixels.
                layer.padding = tuple(size // 2 for size in layer.kernel_size)
        with redirect_stdout(StringIO()):  # the converter reports what it did
            converted: nn.Module = ModuleConverter(mode="fa").convert(module)
        return converted
