"""Training of many networks by virtuallab and by other ways: ``python -m benchmarks.population``.

Takes half an hour. Cohorts under three rules take turns with a loop of ordinary torch modules in
one process and in two, with ``torch.func.vmap``, with BioTorch's layers and with ``jax.vmap``, each
in a process of its own that times itself, on one thread. Before that, each implementation shows by
the losses of its first steps that it trains the same networks. The fastest dense kernel of the
machine takes part in every turn. BioTorch and JAX are installed into ``benchmarks/.environments``;
a package that cannot be installed is reported, and the others are measured. Writes
docs/performance/population_*.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch

from benchmarks.implementations.implementation import BACKPROP, FEEDBACK_ALIGNMENT
from benchmarks.implementations.measurement import Cell, Limits, Measurement, Way
from benchmarks.measuring.machine import copy_bandwidth, description, fastest_product, load
from benchmarks.measuring.nets import BATCH, NETS
from benchmarks.measuring.tables import parser, show, table
from benchmarks.measuring.turns import Quartiles

NETS_COMPARED = [name for name in NETS if name != "mlp 500-500, 28x28"]
SIZES = [1, 8, 64, 512]
INFORMATION_ALIGNMENT = "information_alignment"
LOOP = Way("loop of torch modules", BACKPROP)
TWO_LOOPS = Way("loop of torch modules", BACKPROP, 2)
COHORT, TWO_COHORTS = Way("virtuallab", BACKPROP), Way("virtuallab", BACKPROP, 2)
VMAP, JAX = Way("torch.func.vmap", BACKPROP), Way("jax.vmap", BACKPROP)
FEEDBACK = Way("virtuallab", FEEDBACK_ALIGNMENT)
BIOTORCH = Way("loop of BioTorch modules", FEEDBACK_ALIGNMENT)
ALIGNMENT = Way("virtuallab", INFORMATION_ALIGNMENT)

# Ways that take turns, so that not all of them are in memory at once.
GROUPS = (
    (COHORT, TWO_COHORTS, LOOP, TWO_LOOPS, VMAP, JAX),
    (FEEDBACK, LOOP, BIOTORCH),
    (ALIGNMENT, LOOP),
)
# What is compared, the group of both, and the name in the table.
RATIOS = (
    (0, COHORT, LOOP, "backprop beside a loop of torch modules"),
    (0, TWO_COHORTS, TWO_LOOPS, "the same, two processes each"),
    (0, COHORT, VMAP, "backprop beside torch.func.vmap"),
    (0, COHORT, JAX, "backprop beside jax.vmap"),
    (1, FEEDBACK, BIOTORCH, "feedback_alignment beside a loop of BioTorch modules"),
    (1, FEEDBACK, LOOP, "feedback_alignment beside a loop of torch modules under backprop"),
    (2, ALIGNMENT, LOOP, "information_alignment beside a loop of torch modules under backprop"),
)

Cells = Mapping[tuple[str, int, int], Cell]  # by network, group and number of subjects


def measured(
    nets: Sequence[str], sizes: Sequence[int], limits: Limits, product_size: int
) -> Iterator[tuple[tuple[str, int, int], Cell]]:
    """Yield cell after cell."""
    for net in nets:
        with Measurement(net, limits, product_size) as measurement:
            for size in sizes:
                for number, ways in enumerate(GROUPS):
                    yield (net, number, size), measurement.cell(ways, size)


def ratio_table(cells: Cells, nets: Sequence[str], sizes: Sequence[int]) -> list[str]:
    """How many times as fast virtuallab is."""
    rows = []
    for net in nets:
        for group, one, other, name in RATIOS:
            found = [cells[net, group, size] for size in sizes]
            texts = [
                Quartiles.of(cell.rates[one] / cell.rates[other]).text()
                if one in cell.rates and other in cell.rates
                else "-"
                for cell in found
            ]
            rows.append([net, name, *texts])
    return table(["network", "virtuallab's speed", *(f"S = {size}" for size in sizes)], rows)


def rate_table(cells: Cells, nets: Sequence[str], sizes: Sequence[int]) -> list[str]:
    """Subject-steps per second, and the share of the dense kernel."""
    rows = []
    for net in nets:
        for group, ways in enumerate(GROUPS):
            for way in ways:
                if way is LOOP and group:
                    continue
                texts = [_rate(cells[net, group, size], way) for size in sizes]
                rows.append([net, way.rule, way.label, *texts])
    return table(["network", "rule", "way", *(f"S = {size}" for size in sizes)], rows)


def _rate(cell: Cell, way: Way) -> str:
    if way not in cell.rates:
        return "-"
    return f"{np.median(cell.rates[way]):,.0f} ({np.median(cell.shares[way]):.1%})"


def left_out(cells: Cells) -> list[str]:
    """Reasons why cells are empty."""
    found = [
        f"- {net}, S = {size}, {way.label}: {reason}"
        for (net, _, size), cell in cells.items()
        for way, reason in cell.left_out.items()
        if reason
    ]
    return ["", "Not measured:", "", *found] if found else []


def main() -> None:
    """Measure, and write two tables."""
    made = parser(__doc__)
    made.add_argument("--nets", nargs="+", choices=list(NETS), default=NETS_COMPARED)
    made.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    made.add_argument("--turns", type=int, default=Limits.turns)
    options = made.parse_args()
    load_at_start = load()
    torch.set_num_threads(1)
    limits, nets, sizes = Limits(turns=options.turns), options.nets, sorted(options.sizes)
    if options.quick:
        limits, nets, sizes = Limits(3, 0.02), nets[:1], [2]
    size, speed = fastest_product()
    bandwidth = copy_bandwidth()
    cells = {}
    for place, cell in measured(nets, sizes, limits, size):
        cells[place] = cell
        text = (f"{way.label} ({way.rule}) {_rate(cell, way)}" for way in cell.rates)
        print(f"{place[0]}, S = {place[2]}: {', '.join(text)}", flush=True)
    machine = list(description("torch", load_at_start=load_at_start))
    kernel = (
        f"The fastest dense kernel, a product of {size} x {size} matrices in single precision on "
        f"one thread, made {speed:.0f} GFLOP/s; copying an array moved {bandwidth:.0f} GB/s."
    )
    command = f"`python -m benchmarks.population`; batches of {BATCH} images, one thread a process."
    turns = f"Medians over {limits.turns} turns (fewer where turns are long)"
    ratios = f"{turns} of the ratio of speeds, with quartiles. {command}"
    rates = (
        f"{turns} of training steps of subjects per second of processor time; in brackets the "
        f"share of the dense kernel's speed. {command} {kernel}"
    )
    end = ["", " ".join(machine)]
    lines = [*ratio_table(cells, nets, sizes), "", ratios, *end]
    show("population_ratios", lines, quick=options.quick)
    lines = [*rate_table(cells, nets, sizes), "", rates, *end, *left_out(cells)]
    show("population_rates", lines, quick=options.quick)


if __name__ == "__main__":
    main()
