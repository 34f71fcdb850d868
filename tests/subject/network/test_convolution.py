from __future__ import annotations

import pytest
import torch
from torch import Tensor

from virtuallab.subject.network.convolution import convolution, convolution_gradients

OPTIONS = ((1, 1), (1, 1), (1, 1))  # stride, padding and dilation


def operands(channels: int, outputs: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Input, kernels and error of two subjects."""
    stream = torch.Generator().manual_seed(0)
    shapes = ((4, 2 * channels, 5, 5), (2 * outputs, channels, 3, 3), (4, 2 * outputs, 5, 5))
    x, kernels, error = (torch.randn(each, generator=stream).to(dtype) for each in shapes)
    return x, kernels, error


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("sizes", [(1, 3), (3, 1), (3, 4), (4, 3), (4, 4), (16, 16), (17, 5)])
def test_numbers_that_are_not_finite_stay_in_their_subject(
    sizes: tuple[int, int], dtype: torch.dtype
) -> None:
    channels, outputs = sizes
    x, kernels, error = operands(*sizes, dtype)
    both = [True, True, True]
    calm = convolution(x, kernels, None, *OPTIONS, groups=2)
    gradients = convolution_gradients(error, x, kernels, *OPTIONS, groups=2, wanted=both)
    x[:, channels:], kernels[outputs:], error[:, outputs:] = torch.nan, torch.inf, torch.nan
    wild = convolution(x, kernels, None, *OPTIONS, groups=2)
    assert wild.dtype == dtype
    assert torch.equal(wild[:, :outputs], calm[:, :outputs])
    assert not torch.isfinite(wild[:, outputs:]).all()
    found = convolution_gradients(error, x, kernels, *OPTIONS, groups=2, wanted=both)
    for part, one, other in zip((channels, outputs, outputs), gradients, found, strict=True):
        assert one is not None
        assert other is not None
        first = (slice(None), slice(part)) if one.shape[0] == 4 and one.dim() == 4 else slice(part)
        assert torch.equal(other[first], one[first])


def test_a_rounded_convolution_is_that_of_rounded_operands_in_float32() -> None:
    for sizes in ((3, 4), (4, 4)):
        x, kernels, _ = operands(*sizes, torch.bfloat16)
        found = convolution(x, kernels, None, *OPTIONS, groups=2)
        expected = convolution(x.float(), kernels.float(), None, *OPTIONS, groups=2)
        assert found.dtype == torch.bfloat16
        # The last of 8 significant bits may be rounded to either side.
        torch.testing.assert_close(found.float(), expected, rtol=2**-7, atol=1e-3)


def test_gradients_of_kernels_have_the_precision_of_the_kernels() -> None:
    x, kernels, error = operands(4, 4, torch.float32)
    wanted = [True, True, False]
    down, step, offset = convolution_gradients(
        error.bfloat16(), x, kernels, *OPTIONS, groups=2, wanted=wanted
    )
    assert down is not None
    assert step is not None
    assert (down.dtype, step.dtype, offset) == (torch.bfloat16, torch.float32, None)
