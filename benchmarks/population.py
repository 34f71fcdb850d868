"""Training of many networks by virtuallab and by other ways: ``python -m benchmarks.population``.

Takes an hour. Cohorts under three rules take turns with a loop of ordinary torch modules in
one process and in two, with ``torch.func.vmap``, with BioTorch's layers and with ``jax.vmap``, each
in a process of its own that times itself, on one thread. Before that, each implementation shows by
the losses of its first steps that it trains the same networks. The fastest dense kernel of the
machine takes part in every turn. BioTorch and JAX are installed into ``benchmarks/.environments``;
a package that cannot be installed is reported, and the others are measured. Writes
docs/performance/population_NETWORK.md for each network as soon as it is measured.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from benchmarks.implementations.implementation import BACKPROP, FEEDBACK_ALIGNMENT
from benchmarks.implementations.measurement import Cell, Limits, Measurement, Way, Workers
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

Cells = Mapping[tuple[int, int], Cell]  # by group and number of subjects


def measured(measurement: Measurement, net: str, sizes: Sequence[int]) -> Cells:
    """Measure all groups of ways in one network.

    Parameters
    ----------
    measurement : Measurement
    net : str
        Of the measurement.
    sizes : sequence of int
        Numbers of subjects.

    Returns
    -------
    mapping from (group, number of subjects) to Cell
    """
    cells = {}
    for size in sizes:
        for group, ways in enumerate(GROUPS):
            cells[group, size] = cell = measurement.cell(ways, size)
            text = (f"{way.label} ({way.rule}) {_rate(cell, way)}" for way in cell.rates)
            print(f"{net}, S = {size}: {', '.join(text)}", flush=True)
    return cells


def ratio_table(cells: Cells, sizes: Sequence[int]) -> list[str]:
    """How many times as fast virtuallab is."""
    rows = []
    for group, one, other, name in RATIOS:
        found = [cells[group, size] for size in sizes]
        texts = [
            Quartiles.of(cell.rates[one] / cell.rates[other]).text()
            if one in cell.rates and other in cell.rates
            else "-"
            for cell in found
        ]
        rows.append([name, *texts])
    return table(["virtuallab's speed", *(f"S = {size}" for size in sizes)], rows)


def rate_table(cells: Cells, sizes: Sequence[int]) -> list[str]:
    """Subject-steps per second, and the share of the dense kernel."""
    rows = [
        [way.rule, way.label, *(_rate(cells[group, size], way) for size in sizes)]
        for group, ways in enumerate(GROUPS)
        for way in ways
        if way is not LOOP or not group
    ]
    return table(["rule", "way", *(f"S = {size}" for size in sizes)], rows)


def _rate(cell: Cell, way: Way) -> str:
    if way not in cell.rates:
        return "-"
    return f"{np.median(cell.rates[way]):,.0f} ({np.median(cell.shares[way]):.1%})"


def left_out(cells: Cells) -> list[str]:
    """Reasons why cells are empty."""
    found = {
        f"- {way.label}, {way.rule}, S = {size}: {reason}": None
        for (_, size), cell in cells.items()
        for way, reason in cell.left_out.items()
        if reason
    }
    return ["", "Not measured:", "", *found] if found else []


def file_name(net: str) -> str:
    """Name of the file with the tables of a network."""
    return "population_" + "_".join(re.findall("[a-z0-9]+", net))


def main() -> None:
    """Measure, and write the tables of each network."""
    made = parser(__doc__)
    made.add_argument("--nets", nargs="+", choices=list(NETS), default=NETS_COMPARED)
    made.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    usual = Limits()
    made.add_argument("--turns", type=int, default=usual.turns)
    made.add_argument("--cell-seconds", type=float, default=usual.cell_seconds)
    made.add_argument("--step-seconds", type=float, default=usual.step_seconds)
    options = made.parse_args()
    load_at_start = load()
    torch.set_num_threads(1)
    nets, sizes = options.nets, sorted(options.sizes)
    limits = Limits(options.turns, usual.turn_seconds, options.cell_seconds, options.step_seconds)
    if options.quick:
        limits, nets, sizes = Limits(3, 0.02), nets[:1], [2]
    product, speed = fastest_product()
    machine = [
        *description("torch", load_at_start=load_at_start),
        f"The fastest dense kernel, a product of {product} x {product} matrices in single "
        f"precision on one thread, made {speed:.0f} GFLOP/s; copying an array moved "
        f"{copy_bandwidth():.0f} GB/s.",
    ]
    with Workers() as workers:
        for net in nets:
            cells = measured(Measurement(net, limits, product, workers), net, sizes)
            lines = [
                *ratio_table(cells, sizes),
                "",
                f"{net}: ratios of speeds, medians over {limits.turns} turns (fewer where they "
                "are long) with quartiles.",
                "",
                *rate_table(cells, sizes),
                "",
                f"{net}: training steps of subjects per second of processor time; in brackets the "
                "share of the dense kernel's speed. `python -m benchmarks.population`; batches of "
                f"{BATCH} images, one thread a process. {' '.join(machine)}",
                *left_out(cells),
            ]
            show(file_name(net), lines, quick=options.quick)


if __name__ == "__main__":
    main()
