"""Layers of sequences of tokens: embedding and attention."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from virtuallab.errors import UserError
from virtuallab.subject.network.layer import stacked


class DotProductAttention(nn.Module):
    """Scaled dot-product attention with several heads, without weights of its own.

    An architecture computes queries, keys and values by dense layers, so that rules change their
    weights; :class:`torch.nn.MultiheadAttention` keeps them in one tensor, which rules cannot
    change.

    Parameters
    ----------
    heads : int
        Number of heads, among which features are divided in their order.
    causal : bool
        Whether a token attends to itself and earlier tokens only.
    """

    def __init__(self, heads: int, *, causal: bool = False) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Map three signals ``(batch, token, feature)`` to one."""
        query, key, value = (
            signal.reshape(*signal.shape[:2], self.heads, -1).transpose(1, 2)
            for signal in (query, key, value)
        )
        found = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return found.transpose(1, 2).flatten(2)


def population_attention(layers: Sequence[DotProductAttention]) -> DotProductAttention:
    """Attention of S subjects, which has the heads of all of them."""
    first = layers[0]
    return DotProductAttention(len(layers) * first.heads, causal=first.causal)


class PopulationEmbedding(nn.Module):
    """Embeddings of S subjects: rows of each subject's own table.

    Tokens of one axis are the same for all subjects, such as the positions of a sequence.
    """

    def __init__(self, layers: Sequence[nn.Embedding]) -> None:
        super().__init__()
        first = layers[0]
        for option in ("max_norm", "scale_grad_by_freq", "sparse"):
            if getattr(first, option):
                raise UserError(f"a population cannot have an embedding with {option!r}.")
        self.weight = stacked(layers, "weight")
        self.padding = first.padding_idx

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens ``(batch, subject*token)`` to ``(batch, token, subject*feature)``."""
        subjects, rows, _ = self.weight.shape
        weight: Tensor = self.weight
        if self.padding is not None:  # a row that does not learn
            learns = torch.arange(rows, device=weight.device) != self.padding
            weight = torch.where(learns.unsqueeze(1), weight, weight.detach())
        if tokens.dim() == 1:
            return nn.functional.embedding(tokens, weight.transpose(0, 1).flatten(1))
        by_subject = tokens.view(len(tokens), subjects, -1, *tokens.shape[2:])
        first_rows = rows * torch.arange(subjects, device=tokens.device)
        places = by_subject + first_rows.view(-1, *[1] * (by_subject.dim() - 2))
        return nn.functional.embedding(places, weight.flatten(0, 1)).movedim(1, -2).flatten(-2)
