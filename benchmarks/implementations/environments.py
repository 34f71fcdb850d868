"""Environments of packages that virtuallab does not need, made when a benchmark first uses them.

An environment has these packages and, through a path file, all of the environment that runs the
benchmark: numpy and torch are the same files everywhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

FOLDER = Path(__file__).parent.parent / ".environments"
CONSTRAINTS = Path(__file__).parent / "constraints.txt"
ROOT = Path(__file__).parent.parent.parent
# What pip is asked for. BioTorch requires Jupyter and others, which its layers do not import.
PACKAGES = {"biotorch": ("--no-deps", "biotorch"), "jax": ("jax",)}


class NotInstallable(Exception):
    """An environment cannot be made; the message says why."""


def python_of(name: str, folder: Path = FOLDER) -> Path:
    """Interpreter of an environment, which is made if it is missing or outdated.

    Parameters
    ----------
    name : str
        One of :data:`PACKAGES`; empty for the environment that runs the benchmark.
    folder : Path
        Where environments lie.

    Returns
    -------
    Path

    Raises
    ------
    NotInstallable
        If pip fails.
    """
    if not name:
        return Path(sys.executable)
    place = folder / name
    python, stamp = place / "bin" / "python", place / "made_from.json"
    made_from = json.dumps([PACKAGES[name], CONSTRAINTS.read_text("utf-8"), sys.executable])
    if stamp.exists() and stamp.read_text("utf-8") == made_from:
        return python
    print(f"Making the environment {place.relative_to(folder.parent)}", file=sys.stderr, flush=True)
    venv.create(place, clear=True, with_pip=True, symlinks=True)
    _see_this_environment(place)
    files = [ROOT / "constraints.txt", CONSTRAINTS]
    limits = [word for file in files for word in ("-c", str(file))]
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, *limits, *PACKAGES[name]], capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        raise NotInstallable(errors[-1] if errors else f"pip ended with {done.returncode}")
    stamp.write_text(made_from, encoding="utf-8")
    return python


def _see_this_environment(place: Path) -> None:
    """Let an environment find the packages of the one that runs the benchmark."""
    [packages] = (place / "lib").glob("python*/site-packages")
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "benchmark.pth").write_text("\n".join(sorted(paths)) + "\n", encoding="utf-8")
