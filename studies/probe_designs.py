"""What has to be recorded to identify the rule? ``python studies/probe_designs.py``.

Trains the subjects of protocols/probe_designs.yaml and compares in them the designs of that
protocol and of protocols/nayebi2020_*.yaml (about 40 minutes on two cores; after an interruption it
continues). Writes docs/images/probe_designs_*.png and docs/science/results/probe_designs_*.md: the
devices, and the tests of four published claims about recording.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from rich.console import Console

from virtuallab.decoder.features.samples import pairs_of
from virtuallab.decoder.uncertainty import comparison
from virtuallab.lab.designs.compare import compare
from virtuallab.lab.designs.power import power
from virtuallab.labels import label_text
from virtuallab.reporting.figures.designs import setting_curves as curves
from virtuallab.reporting.figures.designs.best_designs import best_designs_figure
from virtuallab.reporting.figures.designs.setting_curves import SettingCurve, curve_of
from virtuallab.reporting.render import png
from virtuallab.reporting.results.power import sentences
from virtuallab.reporting.style import Look, observable_look, pretty, setting_name
from virtuallab.vocabulary import ACTIVITY, CLASSIFIER, CONTROL, DESIGN, OBSERVABLE, RULE, WEIGHTS

ROOT = Path(__file__).parent.parent
IMAGES, RESULTS = ROOT / "docs" / "images", ROOT / "docs" / "science" / "results"
SUBJECTS = Path("runs/probe_designs.zarr")
CONFIDENCE = 0.95
# Visits in a window of learning, or spread over all of it: look and label of each design.
WINDOWS = {
    "early": (Look("#de8f05", "solid", "o"), "early window"),
    "middle": (Look("#029e73", "solid", "s"), "middle window"),
    "late": (Look("#0173b2", "solid", "^"), "late window"),
    "sparse": (Look("#b3246b", "solid", "D"), "spread over all"),
}


def identified(found: xr.Dataset, design: str, observable: str) -> xr.DataArray:
    """Subjects that were identified from a design."""
    at = {DESIGN: design, OBSERVABLE: observable, CLASSIFIER: "kernel_svm"}
    right = found["identified"].sel(at).astype(float)
    return right.assign_attrs(seeds=found.attrs["seeds"])


def difference(one: xr.DataArray, other: xr.DataArray) -> tuple[float, float, float]:
    """Difference in accuracy of two designs in the same subjects, with an interval."""
    return comparison.difference(
        one.to_numpy(),
        other.to_numpy(),
        label_text(one[RULE]),
        CONFIDENCE,
        repeats=int(one.attrs["seeds"]),
        pairs=pairs_of(one),
    )


def signed(value: tuple[float, float, float]) -> str:
    """Write a difference with its interval."""
    return f"{value[0]:+.2f} ({value[1]:+.2f} to {value[2]:+.2f})"


def named(found: xr.Dataset, name: str, **settings: float) -> str:
    """Label of the design of a name with these settings."""
    keep = found["design_name"].values == name
    for path, value in settings.items():
        keep &= np.isclose(found[path.replace("__", ".")].values, value)
    [design] = found[DESIGN].values[keep]
    return str(design)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def devices(found: xr.Dataset) -> list[str]:
    """Accuracy of each device."""
    ordered = found.sortby(
        found["balanced_accuracy"].max([OBSERVABLE, CLASSIFIER]), ascending=False
    )
    rows = []
    for design in map(str, ordered[DESIGN].values):
        for observable in map(str, ordered[OBSERVABLE].values):
            one = ordered.sel({DESIGN: design, OBSERVABLE: observable}).squeeze()
            if np.isfinite(one["balanced_accuracy"]):
                low, high = map(float, one["interval"].values)
                tied = float(one["shortfall_interval"][0]) <= 0
                behind = (
                    "not shown to differ from the best"
                    if tied
                    else f"{float(one['shortfall']):.2f}"
                )
                cells = [
                    design,
                    pretty(observable),
                    f"{float(one['balanced_accuracy']):.2f} ({low:.2f} to {high:.2f})",
                    behind,
                ]
                rows.append(cells)
    return table(["device", "from", "balanced accuracy", "difference from the best"], rows)


def trajectory(found: xr.Dataset) -> tuple[list[str], bool]:
    """Table of spread visits minus as many in a window (Nayebi et al. 2020, figure 4)."""
    lines, holds = [], True
    rows = []
    for observable in (ACTIVITY, WEIGHTS):
        for count in (3, 5, 9):
            sparse = identified(found, named(found, "sparse", visits=count), observable)
            later = identified(found, named(found, "sparse_later", visits=count), observable)
            cells = [pretty(observable), str(count)]
            for window in ("early", "middle", "late"):
                there = identified(found, named(found, window, visits=count), observable)
                gain = difference(sparse, there)
                holds &= gain[1] > 0
                cells.append(signed(gain))
            cells.append(
                signed(
                    difference(
                        later, identified(found, named(found, "middle", visits=count), observable)
                    )
                )
            )
            rows.append(cells)
    lines += table(
        [
            "from",
            "visits",
            "spread minus early",
            "minus middle",
            "minus late",
            "spread without visit 0, minus middle",
        ],
        rows,
    )
    return lines, bool(holds)


def undersampling(found: xr.Dataset) -> list[str]:
    """Table of the accuracy lost by recording fewer units (Nayebi et al. 2020, figure 5a)."""
    rows = []
    for name, observable, axis in (
        ("activity", ACTIVITY, "units"),
        ("activity_noisy", ACTIVITY, "units"),
        ("weights", WEIGHTS, "synapses"),
        ("weights_noisy", WEIGHTS, "synapses"),
    ):
        most = float(np.nanmax(found[axis].values[found["design_name"].values == name]))
        best = identified(found, named(found, name, **{axis: most}), observable)
        for count in (20, 100):
            there = identified(found, named(found, name, **{axis: count}), observable)
            value = float(comparison.balanced(there.values, label_text(there[RULE])))
            rows.append(
                [
                    name.replace("_", ", "),
                    f"{count} {axis}",
                    f"{value:.2f}",
                    f"{most:.0f}",
                    signed(difference(there, best)),
                ]
            )
    return table(
        [
            "from",
            "recorded",
            "balanced accuracy",
            "largest number",
            "difference from largest number",
        ],
        rows,
    )


def noise(found: xr.Dataset) -> tuple[list[str], list[str]]:
    """Tables of activity minus weights, at equal noise (Nayebi et al. 2020, figure 5b)."""
    tables = []
    for kind, levels in (
        ("sigma", (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)),
        ("snr", (0.1, 0.3, 1.0, 3.0, 10.0)),
    ):
        rows = []
        for level in levels:
            cells = [f"{level:g}"]
            pair = {}
            for observable, axis in ((ACTIVITY, "units"), (WEIGHTS, "synapses")):
                design = named(
                    found, f"{observable}_{kind}", **{axis: 400, f"noise__{kind}": level}
                )
                pair[observable] = identified(found, design, observable)
                value = comparison.balanced(
                    pair[observable].values, label_text(pair[observable][RULE])
                )
                cells.append(f"{float(value):.2f}")
            cells.append(signed(difference(pair[ACTIVITY], pair[WEIGHTS])))
            rows.append(cells)
        tables.append(table([kind, "400 units", "400 synapses", "activity minus weights"], rows))
    return tables[0], tables[1]


def save(name: str, lines: Sequence[SettingCurve], *, axis: str, title: str = "") -> None:
    """Draw curves into a file of the documentation."""
    figure = curves.draw(lines, chance=0.25, axis=axis, title=title)
    (IMAGES / f"probe_designs_{name}.png").write_bytes(png(figure))


def line(
    found: xr.Dataset, name: str, observable: str, axis: str, look: Look, title: str, **held: float
) -> SettingCurve:
    """One curve of the designs of a name."""
    keep = found["design_name"].values == name
    for path, value in held.items():
        keep &= np.isclose(found[path].values, value)
    of = found.isel({DESIGN: keep}).sel({CLASSIFIER: "kernel_svm"})
    return curve_of(of, axis, observable, title, look)


def draw(found: dict[str, xr.Dataset]) -> None:
    """Draw all figures."""
    figure = best_designs_figure(found["probe_designs"]).panels[0].figure
    (IMAGES / "probe_designs_devices.png").write_bytes(png(figure))
    for observable in (ACTIVITY, WEIGHTS):
        lines = [
            line(found["nayebi2020_trajectory"], name, observable, "visits", *look)
            for name, look in WINDOWS.items()
        ]
        save(f"trajectory_{observable}", lines, axis="visits", title=f"from {pretty(observable)}")
    few = found["nayebi2020_undersampling"]
    lines = [
        line(
            few,
            f"{observable}{noisy}",
            observable,
            axis,
            Look(observable_look(observable).colour, dash, observable_look(observable).marker),
            f"{pretty(observable)}{title}",
        )
        for observable, axis in ((ACTIVITY, "units"), (WEIGHTS, "synapses"))
        for noisy, dash, title in (
            ("", "solid", ""),
            ("_noisy", (0, (5, 2)), ", noise as large as the signal"),
        )
    ]
    save("undersampling", lines, axis="recorded units, or synapses")
    for kind in ("sigma", "snr"):
        lines = [
            line(
                found["nayebi2020_noise"],
                f"{observable}_{kind}",
                observable,
                f"noise.{kind}",
                Look(observable_look(observable).colour, dash, observable_look(observable).marker),
                f"{count} {axis}",
                **{axis: count},
            )
            for observable, axis in ((ACTIVITY, "units"), (WEIGHTS, "synapses"))
            for count, dash in ((400, "solid"), (40, (0, (5, 2))))
        ]
        save(kind, lines, axis=setting_name(f"noise.{kind}"))


def main() -> None:
    """Compare, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=None)
    workers = parser.parse_args().workers
    os.chdir(ROOT)
    console = Console()
    names = (
        "probe_designs",
        "nayebi2020_trajectory",
        "nayebi2020_undersampling",
        "nayebi2020_noise",
    )
    found = {
        name: compare(
            Path("protocols") / f"{name}.yaml",
            subjects=SUBJECTS if name != "probe_designs" else None,
            workers=workers,
            verbose=console,
        )
        for name in names
    }
    protocol = Path("protocols/probe_designs.yaml")
    answers = {
        t: power(protocol, target=t, workers=workers, verbose=console) for t in (0.7, 0.8, 0.9)
    }
    draw(found)
    when, holds = trajectory(found["nayebi2020_trajectory"])
    sigma, snr = noise(found["nayebi2020_noise"])
    controls = {
        str(name): [each["control_accuracy"].sel({CONTROL: name}) for each in found.values()]
        for name in found["probe_designs"][CONTROL].values
    }
    means = ", ".join(
        f"{pretty(name)} {np.nanmean(np.concatenate([each.values.ravel() for each in of])):.3f}"
        for name, of in controls.items()
    )
    subjects = found["probe_designs"].attrs["n_subjects"]
    parts = {
        "devices": devices(found["probe_designs"]),
        "trajectory": when,
        "undersampling": undersampling(found["nayebi2020_undersampling"]),
        "sigma": sigma,
        "snr": snr,
        "power": [
            f"* **{target:g}**: {' '.join(sentences(each))}" for target, each in answers.items()
        ],
        "controls": [
            f"{subjects} subjects. Controls, the mean over all designs: {means}; chance is 0.250."
        ],
    }
    RESULTS.mkdir(exist_ok=True)
    for name, lines in parts.items():
        (RESULTS / f"probe_designs_{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"Spread visits beat every window: {holds}")


if __name__ == "__main__":
    main()
