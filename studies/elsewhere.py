"""Are recordings made elsewhere identified? ``python studies/elsewhere.py``, six minutes.

Sixty networks learn in a loop of plain torch that shares no code with virtuallab
(tests/lab/elsewhere.py: another architecture, other learning rates, 160 steps) and are recorded to
netCDF. Each is identified by a decoder trained on subjects of protocols/decoder.yaml, which learned
for 420 steps, recorded to match: at the same steps, and at the same fractions of learning. Needs
runs/decoder.zarr, which studies/decoder.py makes. Writes docs/science/results/elsewhere.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import xarray as xr

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.lab import elsewhere  # noqa: E402  # the tests' laboratory, which is no part of ours
from virtuallab.lab.identification.identify import identify  # noqa: E402
from virtuallab.reporting.style import pretty  # noqa: E402
from virtuallab.reporting.tables.identification import verdict  # noqa: E402
from virtuallab.vocabulary import NO_LEARNING  # noqa: E402

EXPERIMENT = Path("runs/decoder.zarr")
RESULT = ROOT / "docs" / "science" / "results" / "elsewhere.md"
PLACES = {"at the same steps": False, "at the same fractions of learning": True}


def counted(rule: str, answers: list[xr.Dataset]) -> list[str]:
    """Cells with numbers: correct, incorrect, covered, empty sets, unknown, no learning in set."""
    likeliest = [str(a["rule"].values[int(a["probability"].values.argmax())]) for a in answers]
    wrong = sorted(set(likeliest) - {rule}, key=likeliest.count, reverse=True)
    return [
        pretty(rule),
        f"{likeliest.count(rule)} of {len(answers)}",
        ", ".join(f"{pretty(name)} ({likeliest.count(name)})" for name in wrong) or "none",
        str(sum(bool(a["in_set"].sel(rule=rule)) for a in answers)),
        str(sum(not a["in_set"].any() for a in answers)),
        str(sum(verdict(a).startswith(("None of these", "Outside")) for a in answers)),
        str(sum(bool(a["in_set"].sel(rule=NO_LEARNING)) for a in answers)),
    ]


def main() -> None:
    """Record, identify, count and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=20, help="networks of each rule")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    os.chdir(ROOT)
    if not EXPERIMENT.exists():
        sys.exit(f"{EXPERIMENT} is not there. Run python studies/decoder.py first.")
    header = [
        "visits",
        "rule",
        "correct",
        "incorrect",
        "in the 90 % set",
        "empty sets",
        "called unknown",
        "no learning not excluded",
    ]
    lines = [header, ["---"] * len(header)]
    with TemporaryDirectory() as folder:
        files = {
            rule: [Path(folder) / f"{rule}-{seed}.nc" for seed in range(asked.each)]
            for rule in elsewhere.RULES
        }
        for rule, each in files.items():
            for seed, file in enumerate(each):
                elsewhere.record(rule, seed, file)
        for place, fractions in PLACES.items():
            for rule, each in files.items():
                answers = [
                    identify(
                        EXPERIMENT, file, match=True, fractions=fractions, workers=asked.workers
                    )
                    for file in each
                ]
                lines.append([place, *counted(rule, answers)])
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    RESULT.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
