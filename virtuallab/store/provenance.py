"""Provenance of an experiment: protocol, versions and machine."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = (
    "virtuallab",
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-learn",
    "xarray",
    "zarr",
)


def provenance(
    *, text: str, resolved: str, title: str, summary: str, seed: int, source: Path | None = None
) -> dict[str, str]:
    """Return the provenance that the attributes of a store keep.

    Parameters
    ----------
    text : str
        The protocol as written, with its comments.
    resolved : str
        The protocol with every default and override, as JSON.
    title, summary : str
        Name and question of the protocol.
    seed : int
    source : Path, optional
        File of the protocol; the commit of its repository is kept, its path is not.
    """
    return {
        "title": title,
        "summary": f"Simulated data. {summary}",
        "protocol_yaml": text,
        "protocol_resolved": resolved,
        "protocol_sha256": hashlib.sha256(resolved.encode()).hexdigest(),
        "seed": str(seed),
        "versions": json.dumps({name: _version(name) for name in _PACKAGES}),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "git": _git_state(Path(__file__).parents[1]),
        "protocol_git": _git_state(source) if source else "",
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _git_state(path: Path) -> str:
    """Return the commit of a file or folder, and whether it was changed; empty if there is none."""
    place = path.resolve()

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(place.parent), *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", "--", str(place))
        commit, changes = git("rev-parse", "HEAD"), git("status", "--porcelain", "--", str(place))
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{commit} with uncommitted changes" if changes else commit
