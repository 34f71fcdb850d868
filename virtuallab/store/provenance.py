"""Where an experiment came from: enough to make it again."""

from __future__ import annotations

import hashlib
import json
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


def provenance(*, text: str, resolved: str, title: str, summary: str, seed: int) -> dict[str, str]:
    """Collect what is kept in the attributes of a store.

    Parameters
    ----------
    text : str
        The protocol as written, with its comments.
    resolved : str
        The protocol with every default and override, as JSON.
    title, summary : str
        Name and question of the protocol.
    seed : int
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
        "platform": f"{platform.system()} {platform.machine()}",
        "git": _git_state(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _git_state() -> str:
    """Commit of the virtuallab that ran, and whether it was changed since; empty if not known."""
    folder = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)
        commit, changes = git("rev-parse", "HEAD"), git("status", "--porcelain", ".")
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{commit} with uncommitted changes" if changes else commit
