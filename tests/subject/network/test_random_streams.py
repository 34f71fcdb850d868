from __future__ import annotations

import torch

from virtuallab.subject.network.random_streams import RandomStreams

LIKE = torch.zeros(1, dtype=torch.float64)


def test_the_numbers_of_a_subject_do_not_depend_on_other_subjects() -> None:
    together, alone = RandomStreams([1, 2, 3]), RandomStreams([2])
    assert torch.equal(together.normal((4, 5), LIKE)[[1]], alone.normal((4, 5), LIKE))


def test_the_streams_of_a_purpose_continue_and_do_not_advance_others() -> None:
    drawn, undisturbed = RandomStreams([1]), RandomStreams([1])
    first = drawn.for_purpose("a").normal((3,), LIKE)
    assert not torch.equal(first, drawn.for_purpose("a").normal((3,), LIKE))
    assert torch.equal(drawn.normal((3,), LIKE), undisturbed.normal((3,), LIKE))


def test_fixed_numbers_are_the_same_at_every_call_and_in_independent_streams() -> None:
    streams = RandomStreams([1, 2])
    fixed = streams.fixed_normal("a", (3,), LIKE)
    assert torch.equal(fixed, streams.fixed_normal("a", (3,), LIKE))
    assert torch.equal(fixed, streams.independent().fixed_normal("a", (3,), LIKE))
    before = RandomStreams([1, 2]).normal((3,), LIKE)
    streams.independent().normal((3,), LIKE)
    assert torch.equal(streams.normal((3,), LIKE), before)
