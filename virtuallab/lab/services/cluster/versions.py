"""Versions that all processes of a cluster must share: others would give other results."""

from __future__ import annotations

from collections.abc import Mapping

from virtuallab.errors import UserError

Versions = Mapping[str, str | None]
_PACKAGES = ("virtuallab", "torch", "numpy")


def own_versions() -> Versions:
    """Return the versions of this process."""
    from distributed.versions import get_versions

    return _of(get_versions(_PACKAGES))


def check_versions(client: object, address: str) -> None:
    """Refuse workers whose versions differ from those of this process.

    Workers that come later are checked with their first task.

    Parameters
    ----------
    client : distributed.Client
    address : str
        Of the scheduler, for the message.

    Raises
    ------
    UserError
        Names each of these workers with its versions.
    """
    found = client.get_versions(packages=_PACKAGES)  # type: ignore[attr-defined]
    own = _of(found["client"])
    unequal = [
        f"{worker}: {words}"
        for worker, each in found["workers"].items()
        if (words := difference(_of(each), own))
    ]
    if unequal:
        raise UserError(
            f"workers of the cluster at {address} have other versions than this process, and "
            f"would compute other results. {'; '.join(unequal)}. Install the same versions there, "
            "and restart the workers."
        )


def difference(found: Versions, own: Versions) -> str:
    """Return the packages whose versions differ, as text; empty if there is none.

    >>> difference({"torch": "2.12.0", "numpy": None}, {"torch": "2.13.0", "numpy": "2.4.6"})
    'torch 2.12.0 (here 2.13.0), numpy not installed (here 2.4.6)'
    """
    return ", ".join(
        f"{name} {found.get(name) or 'not installed'} (here {version})"
        for name, version in own.items()
        if found.get(name) != version
    )


def _of(found: Mapping[str, Mapping[str, str | None]]) -> Versions:
    """Return what decides results, without the part of a version that names its build."""
    packages = {name: found["packages"].get(name) for name in _PACKAGES}
    python = str(found["host"]["python"]).split(".")[:3]
    plain = {name: each and each.partition("+")[0] for name, each in packages.items()}
    return {**plain, "python": ".".join(python)}
