"""What of a recording design cannot be had, said for the person at the protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from virtuallab.errors import suggest

Complaint = tuple[str, str]  # field of the design, what is wrong with it


def positive(field: str, count: object) -> Iterator[Complaint]:
    """Complain of a count below one."""
    if isinstance(count, int) and count < 1:
        yield field, f"must be at least 1, found {count}."


def among(field: str, noun: str, names: Sequence[str], known: Iterable[str]) -> Iterator[Complaint]:
    """Complain of names that nothing has, and of those given twice."""
    if not names:
        yield field, f"no {noun} is named. Known: {', '.join(known)}."
    for place, name in enumerate(names):
        if name not in known:
            yield f"{field}[{place}]", f"there is no {noun} {name!r}. {suggest(name, known)}"
        elif name in names[:place]:
            yield f"{field}[{place}]", f"{noun} {name!r} is named twice. Name each {noun} once."


def shortage(
    noun: str, total: int | str, each: int | None, there: Mapping[str, int]
) -> Iterator[Complaint]:
    """Complain of more units (or synapses) than there are.

    Parameters
    ----------
    noun : str
        ``units`` or ``synapses``: the field that holds ``total``.
    total : int or "all"
        Asked of all layers together.
    each : int, optional
        Asked of each layer.
    there : mapping from layer to int
        How many it has.
    """
    field = noun if each is None else f"{noun}_per_layer"
    asked = total if each is None else each
    yield from positive(field, asked)
    if each is not None and total != "all":
        yield field, f"found both {noun}: {total} and {field}: {each}. Give one of them."
    elif each is not None:
        small = {layer: size for layer, size in there.items() if size < each}
        if small:
            layer = min(small, key=lambda name: small[name])
            others = f" ({_listed(small)})" if len(small) > 1 else ""
            yield (
                field,
                f"{each} {noun} asked of layer {layer!r}, which has {small[layer]}{others}. "
                f"Lower it, choose other layers, or use '{noun}: all'.",
            )
    elif isinstance(total, int) and total > sum(there.values()):
        yield (
            field,
            f"{total} {noun} asked of {sum(there.values())} in all layers together "
            f"({_listed(there)}). Lower it or use '{noun}: all'.",
        )


def _listed(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{layer} {size}" for layer, size in sizes.items())
