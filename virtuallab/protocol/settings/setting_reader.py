"""Read a setting that may differ between subjects: a value, a grid or a distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler, ValidationError

from virtuallab.errors import suggest
from virtuallab.protocol.messages.explain import Place, expected, faults_of, found, refusal
from virtuallab.protocol.settings.distributions import Choice, Grid, LogUniform, Uniform
from virtuallab.protocol.settings.section import Reader, adapter, schema_of, shapes

_NUMBERS = frozenset({"whole number", "number"})
_MEANINGS = {
    "grid": "Every value is tried, each with all replicates.",
    "choice": "One of these is drawn for each subject.",
    "uniform": "A number between these is drawn for each subject.",
    "log_uniform": "A number between these is drawn for each subject, its logarithm uniformly.",
}


def swept(kind: Any) -> Any:
    """Type that reads a setting of this kind, or a sweep over it."""
    return Annotated[Any, Swept(kind)]


@dataclass(frozen=True)
class Swept(Reader):
    """A value ``v``; a list ``[v, w]`` or ``{grid: [v, w]}``; ``{log_uniform: [low, high]}``,
    ``{uniform: [low, high]}`` or ``{choice: [v, w]}``.

    A setting that is itself a list can be swept by ``grid`` and ``choice`` only, one that is a
    mapping by ``grid`` only.
    """  # noqa: D205

    kind: Any
    drawn: bool = False
    """Whether a number may be drawn although a mapping could stand in its place."""

    def read(self, value: Any) -> Any:
        """Return the value, a :class:`Grid` or a :class:`Distribution`."""
        if isinstance(value, dict) and (
            "mapping" not in shapes(self.kind) or "grid" in value or self._is_drawn(value)
        ):
            return self._sweep(value)
        if isinstance(value, list) and "list" not in shapes(self.kind):
            return Grid(self._values(value, ()))
        return adapter(self.kind).validate_python(value)

    def _is_drawn(self, value: dict[str, Any]) -> bool:
        return self.drawn and len(value) == 1 and next(iter(value)) in self._forms

    @property
    def _forms(self) -> tuple[str, ...]:
        possible = shapes(self.kind)
        if "mapping" in possible and not (self.drawn and possible & _NUMBERS):
            return ("grid",)
        return tuple(_MEANINGS) if possible & _NUMBERS else ("grid", "choice")

    def _sweep(self, value: dict[str, Any]) -> Any:
        unknown = [key for key in value if key not in self._forms]
        if unknown:
            message = f"unknown key. {suggest(unknown[0], self._forms)}"
            raise refusal([((unknown[0],), message.replace("Known:", "Keys here:"))], value)
        if len(value) != 1:
            forms = ", ".join(self._forms)
            raise refusal([((), f"takes one of {forms}, found {found(value)}.")], value)
        [(form, written)] = value.items()
        if form == "grid":
            return Grid(self._values(written, (form,)))
        if form == "choice":
            return Choice(self._values(written, (form,)))
        return self._span(form, written)

    def _values(self, written: Any, place: Place) -> tuple[Any, ...]:
        """Read the values of a grid or a choice."""
        if not isinstance(written, list) and (written is None or "list" in shapes(self.kind)):
            raise refusal([(place, expected("a list of values", written))], written)
        alone = not isinstance(written, list)
        written = [written] if alone else written
        if not written:
            raise refusal([(place, "the list is empty. Give at least one value.")], written)
        values: list[Any] = []
        seen: set[str] = set()  # many values are told apart by their text in little time
        faults: list[tuple[Place, str]] = []
        for index, each in enumerate(written):
            try:
                value = adapter(self.kind).validate_python(each)
            except ValidationError as error:
                at = place if alone else (*place, index)
                faults += [((*at, *rest), text) for rest, text in faults_of(error)]
                continue
            text = repr(value)
            if text in seen:
                faults.append(((*place, index), f"{found(each)} is given twice. Remove one."))
            seen.add(text)
            values.append(value)
        if faults:
            raise refusal(faults, written)
        return tuple(values)

    def _span(self, form: str, written: Any) -> LogUniform | Uniform:
        """Read the two bounds of a distribution; each must be a possible value itself."""
        if not isinstance(written, list) or len(written) != 2:
            raise refusal([((form,), expected("[low, high]", written))], written)
        bounds: list[Any] = []
        faults: list[tuple[Place, str]] = []
        for index, each in enumerate(written):
            try:
                bound = adapter(self.kind).validate_python(each)
                if isinstance(bound, bool) or not isinstance(bound, int | float):
                    faults.append(((form, index), expected("a number", each)))
                elif form == "log_uniform" and bound <= 0:
                    faults.append(((form, index), expected("greater than 0", each)))
                bounds.append(bound)
            except ValidationError as error:
                faults += [((form, index, *rest), text) for rest, text in faults_of(error)]
        if not faults and bounds[0] >= bounds[1]:
            message = f"the low end must lie below the high end, found {found(written)}."
            faults.append(((form,), message))
        if faults:
            raise refusal(faults, written)
        return (LogUniform if form == "log_uniform" else Uniform)(*bounds)

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` the value and its sweeps."""
        one = schema_of(self.kind, of)
        several = {"type": "array", "items": one, "minItems": 1}
        given = several if "list" in shapes(self.kind) else {"anyOf": [several, one]}
        span = {"type": "array", "items": one, "minItems": 2, "maxItems": 2}
        sweep = {
            "type": "object",
            "properties": {
                form: {**(span if form.endswith("uniform") else given), "description": meaning}
                for form, meaning in _MEANINGS.items()
                if form in self._forms
            },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }
        grid = [] if "list" in shapes(self.kind) else [several]
        return {"anyOf": [one, *grid, sweep]}
