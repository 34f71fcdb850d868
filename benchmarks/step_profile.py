"""What a training step spends its time on, and how long its arithmetic alone would take.

Run with ``python -m benchmarks.step_profile``, some two minutes. Steps of feedback alignment on one
thread are timed without a profiler, and their operations with torch's; then the convolutions of a
step alone. Writes docs/performance/step_profile.md and docs/performance/convolutions.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.implementations.flops import of_a_step
from benchmarks.measuring.machine import GIGA, description, fastest_product, load
from benchmarks.measuring.nets import BATCH, subjects, training_step
from benchmarks.measuring.tables import parser, show, table
from benchmarks.measuring.turns import calls_in, processor_seconds
from virtuallab.lab.services.allocator import keep_freed_memory
from virtuallab.subject.network.layers.synaptic import PopulationConv2d, channels_last
from virtuallab.subject.subject import Cohort
from virtuallab.subject.training.trainer import CohortTrainer

NETS = (
    *("mlp 128-64, 8x8", "knet4 8-16-16, 8x8", "knet4 16-32-32, 8x8"),
    *("knet4 8-16-16, 28x28", "resnet18 width 4, 8x8"),
)
CONVOLUTIONAL = ("knet4 8-16-16, 8x8", "knet4 8-16-16, 28x28")
RULE = "feedback_alignment"
SIZES = (1, 8, 32)
SECONDS, TURNS = 0.2, 9  # of processor time for a turn, and how many

PRODUCTS = frozenset(
    f"aten::{name}"
    for name in ("mm", "bmm", "baddbmm", "mkldnn_convolution", "convolution_backward")
)
# Operations that compute no number: they describe memory, or reserve it.
NO_ARITHMETIC = frozenset(
    f"aten::{name}"
    for name in (
        *("view", "_unsafe_view", "reshape", "flatten", "transpose", "permute", "expand", "t"),
        *("as_strided", "unsqueeze", "squeeze", "select", "slice", "detach", "alias", "view_as"),
        *("empty", "empty_like", "empty_strided", "resize_", "to", "contiguous", "item"),
    )
)
MICRO = 1e6


@dataclass(frozen=True)
class Profile:
    """Time of a training step of a cohort, and its parts as shares of the profiled time.

    Attributes
    ----------
    microseconds : float
        Of one subject, without the profiler.
    products, others : float
        Shares of matrix products and convolutions, and of all other kernels.
    calls : float
        Kernels called in a step of the cohort.
    """

    microseconds: float
    products: float
    others: float
    calls: float

    @property
    def rest(self) -> float:
        """Share of Python, and of what torch does between kernels."""
        return 1 - self.products - self.others


def profiled(step: Callable[[], None], size: int, seconds: float, turns: int) -> Profile:
    """Time a step of a cohort of ``size``, and its operations."""
    calls = calls_in(step, seconds)
    fastest = min(processor_seconds(step, calls) for _ in range(turns))

    with profile(activities=[ProfilerActivity.CPU]) as found:
        began = time.perf_counter()  # as the profiler, which does not know processor time
        for _ in range(calls):
            step()
        whole = (time.perf_counter() - began) * MICRO
    events = [event for event in found.key_averages() if event.key.startswith("aten::")]
    products = [event for event in events if event.key in PRODUCTS]
    others = [event for event in events if event.key not in PRODUCTS | NO_ARITHMETIC]
    return Profile(
        microseconds=fastest / size * MICRO,
        products=sum(event.self_cpu_time_total for event in products) / whole,
        others=sum(event.self_cpu_time_total for event in others) / whole,
        calls=sum(event.count for event in [*products, *others]) / calls,
    )


def rows(
    nets: Sequence[str], sizes: Sequence[int], speed: float, seconds: float, turns: int
) -> Iterator[list[str]]:
    """A row for each network and size of the cohort; ``speed`` is that of the kernel in GFLOP/s."""
    for net in nets:
        least = of_a_step(net, RULE) / speed / 1e3  # microseconds
        for size in sizes:
            found = profiled(training_step(subjects(net, RULE, size)), size, seconds, turns)
            yield [
                *(net, str(size), f"{found.microseconds:,.0f}", f"{least:,.0f}"),
                *(f"{share:.0%}" for share in (found.products, found.others, found.rest)),
                f"{found.calls:.0f}",
            ]


def convolution_rows(net: str, size: int, seconds: float) -> Iterator[list[str]]:
    """A row for each convolution of a cohort: the speed of its three kernels, and their time."""
    trainer = CohortTrainer(Cohort(subjects(net, RULE, size)), torch.float32, "cpu")
    inputs: dict[PopulationConv2d, torch.Tensor] = {}
    network = trainer.network.population

    def keep(layer: torch.nn.Module, seen: tuple[torch.Tensor, ...]) -> None:
        assert isinstance(layer, PopulationConv2d)
        inputs[layer] = channels_last(seen[0])

    for layer in network.modules():
        if isinstance(layer, PopulationConv2d):
            layer.register_forward_pre_hook(keep)
    with torch.no_grad():
        network(next(trainer.batches())[0])
    total = 0.0
    for place, (layer, x) in enumerate(inputs.items()):
        synapse, weight = layer.synapse(x), layer.weight.detach()
        response = synapse.project(x, weight)
        # Each of the three multiplies every weight at every position of every image. Torch's
        # counter takes the gradient of grouped weights for that of a full convolution.
        operations = 2 * weight.numel() * len(x) * synapse.positions(response)
        works = {
            "response": partial(synapse.project, x, weight),
            "error": partial(synapse.reconstruct, response, weight),
            "weights": partial(synapse.correlate, x, response, weight),
        }
        if place == 0:
            del works["error"]  # which is not needed below the first layer
        times = {name: least_time(work, seconds) for name, work in works.items()}
        speeds = {name: f"{operations / time / GIGA:.0f}" for name, time in times.items()}
        total += sum(times.values())
        _, post, pre, *_ = weight.shape
        yield [
            *(net, f"{pre} to {post}, {x.shape[2]} x {x.shape[3]}"),
            *(speeds.get(name, "-") for name in ("response", "error", "weights")),
            f"{sum(times.values()) / size * MICRO:.0f}",
        ]
    yield [net, "all", "", "", "", f"{total / size * MICRO:.0f}"]


def least_time(work: Callable[[], object], seconds: float) -> float:
    """Processor time of one call, the least of several turns."""
    calls = calls_in(work, seconds / TURNS)
    return min(processor_seconds(work, calls) for _ in range(TURNS))


def main() -> None:
    """Profile every network, and write the tables."""
    options = parser(__doc__).parse_args()
    load_at_start = load()
    torch.set_num_threads(1)
    keep_freed_memory()  # as the commands do
    nets, sizes = (NETS[:1], SIZES[:1]) if options.quick else (NETS, SIZES)
    seconds, turns = (0.01, 2) if options.quick else (SECONDS, TURNS)
    product, speed = fastest_product()
    header = [
        *("network", "S", "µs", "µs of its arithmetic", "products and convolutions"),
        *("other kernels", "between kernels", "kernels"),
    ]
    lines = [
        *table(header, rows(nets, sizes, speed, seconds, turns)),
        "",
        f"Training steps of feedback alignment with batches of {BATCH} images, per subject, in "
        "cohorts of S on one thread: processor time, and the time that their matrix products and "
        f"convolutions would take at the speed of the fastest dense kernel, {speed:.0f} GFLOP/s "
        f"({product} x {product} matrices). Then the shares of the time that a profiler finds, and "
        "the number of kernels that a step of the whole cohort calls. "
        f"`python -m benchmarks.step_profile`. "
        f"{' '.join(description('torch', load_at_start=load_at_start))}",
    ]
    show("step_profile", lines, quick=options.quick)
    header = [
        *("network", "channels, size of the map", "response", "error", "weights"),
        "µs of a subject",
    ]
    found = [row for net in CONVOLUTIONAL for row in convolution_rows(net, sizes[-1], seconds)]
    lines = [
        *table(header, found),
        "",
        f"Speed of torch's convolutions in GFLOP/s, in cohorts of {sizes[-1]} on one thread: the "
        "response, the error at the input and the gradient of the weights. "
        "`python -m benchmarks.step_profile`, in the same run.",
    ]
    show("convolutions", lines, quick=options.quick)


if __name__ == "__main__":
    main()
