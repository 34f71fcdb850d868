"""What does a signal-to-noise ratio mean in spikes/s or dF/F? ``python studies/noise_units.py``.

Probes are calibrated on the reference networks of protocols/quickstart.yaml, which are not trained
(seconds). Writes docs/science/results/noise_units.md and docs/science/results/photons.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from virtuallab.lab.planning.validation import make_plan
from virtuallab.lab.stages.reference import Reference, untrained_states
from virtuallab.probes import Calcium, GaussianNoise, Probe, Spikes
from virtuallab.probes.readouts.indicator import Indicator
from virtuallab.protocol import read
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import ACTIVITY

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "science" / "results"
IMAGED = DEVICES["two_photon"]().presets.calcium
READOUTS: dict[str, tuple[str, Spikes | Indicator | None]] = {
    "activation (no read-out)": ("", None),
    "`spikes: {}`": ("spikes/s", Spikes()),
    "`spikes: {refractory: 0.002}`": ("spikes/s", Spikes(refractory=0.002)),
    "`calcium: {}`": ("dF/F", Calcium()),
    "`calcium: {rise: 0.02, decay: 0.4}`": ("dF/F", Calcium(rise=0.02, decay=0.4)),
    "`calcium: {rise: 0.05, decay: 1.0}`": ("dF/F", Calcium(rise=0.05, decay=1.0)),
    "`calcium: {amplitude: 0.5}`": ("dF/F", Calcium(amplitude=0.5)),
    "`device: two_photon`": ("dF/F", IMAGED),
}
FRAME_RATE = 30.0
FRAMES = 200_001


def main() -> None:
    """Calibrate, and write two tables."""
    for name, lines in (("noise_units", noise_units()), ("photons", photons())):
        (RESULTS / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print("\n".join(lines), end="\n\n")


def noise_units() -> list[str]:
    """Deviation of noise at a ratio of 1, over the layers of all reference networks."""
    plan = make_plan(read(ROOT / "protocols" / "quickstart.yaml"))
    seed = plan.protocol.seed
    references = [
        Reference(group, untrained_states(group, seed), seed) for group in plan.network_groups
    ]
    rows = []
    for name, (unit, readout) in READOUTS.items():
        cells = []
        for ratio in ("snr", "unit_snr"):
            noise = GaussianNoise(**{ratio: 1.0})
            probe = Probe(
                observables=(ACTIVITY,),
                noise=noise,
                spikes=readout if isinstance(readout, Spikes) else None,
                calcium=readout if isinstance(readout, Indicator) else None,
            )
            deviations = [
                noise.deviation(spread)
                for reference in references
                for calibration in reference.calibrations([probe])
                if calibration is not None
                for spread in calibration.spreads[ACTIVITY].values()
            ]
            cells.append(f"{min(deviations):.2g} to {max(deviations):.2g} {unit}".strip())
        rows.append([name, *cells])
    networks = " and ".join(group.name for group in plan.network_groups)
    return [
        *table(["activity as", "noise at `snr: 1`", "noise at `unit_snr: 1`"], rows),
        "",
        f"Standard deviations, from the least to the greatest layer of the reference networks "
        f"({networks}).",
    ]


def photons() -> list[str]:
    """Deviation of photon noise, and its noise level in frames without responses."""
    rows = []
    for count in (5.0, 30.0, 300.0, 3000.0):
        calcium, stream = Calcium(photons=count), np.random.default_rng(1)
        rest, bright = (
            calcium.detected(np.full((1, FRAMES, 1), light, np.float32), stream)[0, :, 0]
            for light in (0.0, 1.0)
        )
        formula = 0.954 / np.sqrt(count * FRAME_RATE)
        cells = (f"{rest.std():.2g}", f"{bright.std():.2g}", f"{100 * formula:.1f}")
        rows.append([f"{count:.0f}", *cells])
    return table(
        [
            "`photons`",
            "noise at rest (dF/F)",
            "noise at a dF/F of 1",
            f"noise level at {FRAME_RATE:.0f} Hz (% per root Hz)",
        ],
        rows,
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    return [lines[0], "| " + " | ".join("---" for _ in head) + " |", *lines[1:]]


if __name__ == "__main__":
    main()
