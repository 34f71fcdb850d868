"""Embedding and attention."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from virtuallab.errors import UserError
from virtuallab.subject.network.layers.tokens import DotProductAttention
from virtuallab.subject.network.population import populate

pytestmark = pytest.mark.usefixtures("own_random_streams")


@pytest.mark.parametrize("causal", [False, True])
def test_attention_with_projections_is_torchs_multihead_attention(causal: bool) -> None:
    torchs = nn.MultiheadAttention(6, 3, batch_first=True).double()
    nn.init.normal_(torchs.in_proj_bias)
    x = torch.randn(4, 5, 6, dtype=torch.float64)
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=x.dtype) if causal else None
    expected, _ = torchs(x, x, x, attn_mask=mask)
    projected = nn.functional.linear(x, torchs.in_proj_weight, torchs.in_proj_bias)
    mixed = DotProductAttention(3, causal=causal)(*projected.chunk(3, -1))
    torch.testing.assert_close(torchs.out_proj(mixed), expected)


def test_attention_of_a_population_has_the_heads_of_each_subject() -> None:
    query, key, value = torch.randn(3, 4, 5, 2 * 6, dtype=torch.float64)
    together = populate([DotProductAttention(3, causal=True)] * 2)(query, key, value)
    for place, signals in enumerate(
        zip(*(x.chunk(2, -1) for x in (query, key, value)), strict=True)
    ):
        expected = DotProductAttention(3, causal=True)(*signals)
        torch.testing.assert_close(together.chunk(2, -1)[place], expected)


@pytest.mark.parametrize("padding", [None, 2])
@pytest.mark.parametrize("tokens", ["of each subject", "of all subjects"])
def test_an_embedding_has_the_table_of_each_subject(tokens: str, padding: int | None) -> None:
    tables = [nn.Embedding(7, 4, padding_idx=padding).double() for _ in range(3)]
    population = populate(tables)
    each = torch.randint(7, (5, 3, 6))
    each[0, 0, :2] = 2
    shared = tokens == "of all subjects"
    found = population(each[0, 0] if shared else each.flatten(1))
    found.square().sum().backward()
    assert found.shape == ((6, 12) if shared else (5, 6, 12))
    for place, table in enumerate(tables):
        expected = table(each[0, 0] if shared else each[:, place])
        torch.testing.assert_close(found.chunk(3, -1)[place], expected)
        expected.square().sum().backward()
        torch.testing.assert_close(population.weight.grad[place], table.weight.grad)


@pytest.mark.parametrize("option", ["max_norm", "scale_grad_by_freq", "sparse"])
def test_options_of_an_embedding_that_a_population_lacks_are_refused(option: str) -> None:
    with pytest.raises(UserError, match=option):
        populate([nn.Embedding(3, 2, **{option: True})])
