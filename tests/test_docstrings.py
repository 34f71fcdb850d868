"""Docstrings follow two rules; the first holds everywhere, the second for what others use.

R1. Every public module, class, function and method has a docstring. Its first line is one sentence
or noun phrase that says what it is or returns, and ends with a period.

R2. Exported objects have complete docstrings: the names in the ``__all__`` of a package, the base
classes of plug-ins with their public methods, and the plug-ins of this package. Each parameter or
field is named with its type, and with its shape where it is an array; so is what is returned; what
is raised is listed. The ``doc`` of a :func:`virtuallab.fields.setting` and the ``description`` of a
pydantic field count as documentation. A property needs no section ``Returns``.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest

import virtuallab
from virtuallab.registry import REGISTRIES

ROOT = Path(virtuallab.__file__).parent.parent
MODULES = sorted(
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for file in (ROOT / "virtuallab").rglob("*.py")
)
FIRST_WORD = re.compile(r"((Ask|Tell|Say|Know|See|Look)s?|Who|Whoever|What|Whatever|Whether)\b")
HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
ENTRY = re.compile(r"^(?P<names>[*\w]+(?:, [*\w]+)*) : (?P<type>.+)$", re.MULTILINE)
ARRAY = re.compile(r"\b(ndarray|NDArray|Tensor|DataArray)\b|\bjt\.\w+\[")
SHAPE = re.compile(r"\(|\bshape|scalar")

Definition: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def path_of(module: str) -> Path:
    base = ROOT.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text("utf-8"))


def members(node: ast.Module | Definition, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Yield each class, function and method with its qualified name, without nested functions."""
    for child in node.body:
        if isinstance(child, Definition):
            name = f"{prefix}{child.name}"
            yield name, child
            if isinstance(child, ast.ClassDef):
                yield from members(child, f"{name}.")


@cache
def defined_in(module: str) -> dict[str, Definition]:
    """Definition of each qualified name; of a property, its getter."""
    found: dict[str, Definition] = {}
    for name, node in members(tree_of(module)):
        if not {"overload", "setter", "deleter"} & decorators(node):
            found.setdefault(name, node)
    return found


def decorators(node: Definition) -> set[str]:
    """Last part of the name of each decorator."""
    plain = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
    return {ast.unparse(each).split(".")[-1] for each in plain}


def is_public(name: str) -> bool:
    return not any(part.startswith("_") for part in name.split("."))


def place(module: str, line: int) -> str:
    return f"{path_of(module).relative_to(ROOT)}:{line}"


def first_line_faults(text: str | None) -> Iterator[str]:
    if text is None:
        yield "no docstring"
        return
    line = text.split("\n")[0]
    if not line.endswith("."):
        yield f"first line is no sentence that ends with a period: {line!r}"
    if FIRST_WORD.match(line):
        yield f"first line does not say what it is or returns: {line!r}"
    if re.search(r"[.!?] [A-Z]", line):
        yield f"first line is more than one sentence: {line!r}"


@pytest.mark.parametrize("module", MODULES)
def test_first_lines_say_what_each_object_is(module: str) -> None:
    """R1."""
    faults = [
        f"{place(module, 1)}: module: {fault}"
        for fault in first_line_faults(ast.get_docstring(tree_of(module)))
    ]
    for name, node in defined_in(module).items():
        if is_public(name):
            found = first_line_faults(ast.get_docstring(node))
            faults += [f"{place(module, node.lineno)}: {name}: {fault}" for fault in found]
    assert not faults, report(faults)


@pytest.mark.parametrize("module", MODULES)
def test_exported_objects_are_documented_completely(module: str) -> None:
    """R2."""
    faults = []
    for name in exported().get(module, ()):
        node = defined_in(module)[name]
        faults += [
            f"{place(module, node.lineno)}: {name}: {f}" for f in exported_faults(node, name)
        ]
    assert not faults, report(faults)


def report(faults: list[str]) -> str:
    return "\n".join([f"{len(faults)} found", *faults])


@cache
def exported() -> dict[str, dict[str, None]]:
    """Qualified names of exported objects by the module that defines them, in order."""
    found: dict[str, dict[str, None]] = {}

    def add(value: Any, *, with_methods: bool = False) -> None:
        value = inspect.unwrap(value) if callable(value) else value
        if not isinstance(value, type) and not inspect.isfunction(value):
            return  # a constant, a module or an alias of a type
        module, name = value.__module__, value.__qualname__
        if module not in MODULES or name not in defined_in(module):
            return
        methods = [n for n in defined_in(module) if with_methods and n.startswith(f"{name}.")]
        found.setdefault(module, {}).update(dict.fromkeys(filter(is_public, [name, *methods])))

    for module in MODULES:
        if path_of(module).name == "__init__.py" and "__all__" in names_assigned(module):
            package = import_module(module)
            for name in package.__all__:
                add(attribute(package, name))
    for registry in REGISTRIES:
        if registry.base is not None:
            module, _, name = registry.base.partition(":")
            add(getattr(import_module(module), name), with_methods=True)
        for plugin in registry:
            add(registry[plugin])
    return found


def names_assigned(module: str) -> set[str]:
    targets: list[ast.expr] = []
    for node in tree_of(module).body:
        targets += node.targets if isinstance(node, ast.Assign) else []
        targets += [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def attribute(module: ModuleType, name: str) -> Any:
    try:
        return getattr(module, name)
    except AttributeError:
        return import_module(f"{module.__name__}.{name}")  # a module of the package


def exported_faults(node: Definition, name: str) -> Iterator[str]:
    text = ast.get_docstring(node)
    if text is None:
        yield "no docstring"
        return
    if isinstance(node, ast.ClassDef):
        yield from class_faults(node, text)
        return
    sections = sections_of(text)
    if "property" in decorators(node) or "cached_property" in decorators(node):
        if node.returns and ARRAY.search(ast.unparse(node.returns)) and not SHAPE.search(text):
            yield "the shape of the array is not given"
    else:
        arguments = arguments_of(node)
        if "." in name and "staticmethod" not in decorators(node):
            del arguments[next(iter(arguments))]
        yield from parameter_faults(arguments, documented(sections.get("Parameters", "")))
        yield from return_faults(node, text, sections)
    yield from raise_faults(raised([node]), sections)


def class_faults(node: ast.ClassDef, text: str) -> Iterator[str]:
    own = {child.name: child for child in node.body if isinstance(child, ast.FunctionDef)}
    sections = sections_of(text)
    known = documented(sections.get("Parameters", ""), sections.get("Attributes", ""))
    if "__init__" in own:
        arguments = arguments_of(own["__init__"])
        del arguments[next(iter(arguments))]
    else:
        fields = [child for child in node.body if is_field(child)]
        arguments = {ast.unparse(f.target): ast.unparse(f.annotation) for f in fields}
        for field in fields:
            calls = [each for each in ast.walk(field) if isinstance(each, ast.Call)]
            if {"doc", "description"} & {word.arg for call in calls for word in call.keywords}:
                del arguments[ast.unparse(field.target)]
    if "Protocol" not in {ast.unparse(base).split("[")[0] for base in node.bases}:
        yield from parameter_faults(arguments, known)
    makers = [own[each] for each in ("__init__", "__post_init__") if each in own]
    yield from raise_faults(raised(makers), sections)


def is_field(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and is_public(node.target.id)
        and "ClassVar" not in ast.unparse(node.annotation)
        and "init=False" not in ast.unparse(node)
    )


def arguments_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, str]:
    """Annotation of each argument, by its name."""
    args = node.args
    listed = [*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
    return {
        each.arg: ast.unparse(each.annotation) if each.annotation else ""
        for each in listed
        if each is not None
    }


def sections_of(text: str) -> dict[str, str]:
    """Text of each section of a docstring in numpy's form, by its heading."""
    _, *parts = HEADING.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def documented(*sections: str) -> dict[str, str]:
    """Type of each parameter that is documented, by its name."""
    return {
        name.strip("* "): entry["type"]
        for section in sections
        for entry in ENTRY.finditer(section)
        for name in entry["names"].split(",")
    }


def parameter_faults(arguments: dict[str, str], known: dict[str, str]) -> Iterator[str]:
    missing = [name for name in arguments if name not in known]
    if missing:
        yield f"without an entry `name : type`: {', '.join(missing)}"
    for name in arguments.keys() & known.keys():
        if ARRAY.search(arguments[name]) and not SHAPE.search(known[name]):
            yield f"the shape of {name} is not given with its type"


def return_faults(
    node: ast.FunctionDef | ast.AsyncFunctionDef, text: str, sections: dict[str, str]
) -> Iterator[str]:
    returns = ast.unparse(node.returns) if node.returns else "None"
    if returns in ("None", "NoReturn", "Never", "Iterator[None]"):
        return
    described = sections.get("Returns", sections.get("Yields", ""))
    line = text.split("\n")[0]
    if not described and not re.match(r"(Return|Yield)s?\b", line):
        yield "no section Returns"
    elif ARRAY.search(returns) and not SHAPE.search(described or line):
        yield "the shape of what is returned is not given"


def raised(nodes: list[ast.FunctionDef]) -> set[str]:
    """Names of the classes that functions raise themselves."""
    found = set()
    for node in nodes:
        inner = {
            id(each)
            for child in ast.walk(node)
            if isinstance(child, ast.FunctionDef | ast.Lambda) and child is not node
            for each in ast.walk(child)
        }
        for each in ast.walk(node):
            if isinstance(each, ast.Raise) and each.exc is not None and id(each) not in inner:
                error = each.exc.func if isinstance(each.exc, ast.Call) else each.exc
                found.add(ast.unparse(error).split(".")[-1])
    return {name for name in found if name[0].isupper() and name != "NotImplementedError"}


def raise_faults(errors: set[str], sections: dict[str, str]) -> Iterator[str]:
    for name in sorted(errors):
        if not re.search(rf"\b{name}\b", sections.get("Raises", "")):
            yield f"no entry of Raises for {name}"
