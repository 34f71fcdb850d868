"""One word for one thing: names of classes, the glossary, and words that are not used."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "virtuallab").rglob("*.py"))

# Words that only this project used, and what is written for them.
NOT_USED = {
    "believed": "predicted, calibrated",
    "birth": "initialization",
    "born": "initialized",
    "dear": "expensive",
    "everybody": "all of them, by name",
    "fate": "outcome",
    "glow": "fluorescence",
    "heard": "recorded, read",
    "intake": "recordings",
    "journal": "optuna_storage",
    "ledger": "result_cache",
    "lesson": "updates",
    "luck": "chance",
    "misfit": "incompatibility",
    "newcomers": "novelty, outliers",
    "nobody": "none of them, by name",
    "severed": "detached",
    "sights": "layer views",
    "skeleton": "template network",
    "somebody": "the user, the author",
    "specimen": "preparation",
    "stranger": "outlier",
    "strangers": "outliers",
    "telltale": "name what it indicates",
    "tissue": "preparation",
    "told apart": "distinguished, identified",
    "whoever": "the user, the author, the caller",
    "whom": "name the noun",
}
# Where a word has the meaning that the field gives it: by the start of a path in the package.
MEANT = {
    "tissue": ("probes/",),  # brain tissue, into which a device is inserted
}


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def place(file: Path, node: ast.AST) -> str:
    return f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def test_class_names_are_unique() -> None:
    places = defaultdict(list)
    for file in FILES:
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(place(file, node))
    twice = [f"{name}: {', '.join(where)}" for name, where in places.items() if len(where) > 1]
    assert not twice, "\n".join(twice)


def glossary() -> list[tuple[str, str]]:
    """Each term of the glossary with its definition."""
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    found = []
    for block in re.findall(r"```\{glossary\}\n(.*?)```", text, flags=re.DOTALL):
        for entry in re.finditer(r"^(\S.*)\n((?:[ ]+\S.*\n)*)", block, flags=re.MULTILINE):
            found += [(term.strip(), entry[2].strip()) for term in entry[1].split(",")]
    return found


def test_each_term_of_the_glossary_is_defined_once() -> None:
    terms = [term for term, _ in glossary()]
    assert len(terms) > 30
    assert sorted(terms) == sorted(set(terms))
    assert [term for term, definition in glossary() if not definition] == []


def test_no_term_of_the_glossary_is_a_word_that_is_not_used() -> None:
    assert {term for term, _ in glossary()} & NOT_USED.keys() == set()


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT / "virtuallab")))
def test_words_of_no_field_are_not_used(file: Path) -> None:
    within = file.relative_to(ROOT / "virtuallab").as_posix()
    words = [word for word in NOT_USED if not within.startswith(MEANT.get(word, ()))]
    found = [
        f"{where}: {word!r} in {kind}; write: {NOT_USED[word]}"
        for where, kind, text in names_and_docstrings(file)
        for word in words
        if re.search(rf"\b{word}\b", text)
    ]
    assert not found, "\n".join(found)


def names_and_docstrings(file: Path) -> Iterator[tuple[str, str, str]]:
    """Yield place, kind and words of each name that a file defines and of each docstring."""
    yield place(file, tree_of(file)), f"the file's name {file.stem}", words_of(file.stem)
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text is not None:
                yield place(file, node), "a docstring", " ".join(text.split())
        name = defined_name(node)
        if name is not None:
            yield place(file, node), f"the name {name}", words_of(name)


def defined_name(node: ast.AST) -> str | None:
    """Name that a node defines; None if it only uses one, as of another library."""
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return node.name
        case ast.arg():
            return node.arg
        case ast.Name(ctx=ast.Store()):
            return node.id
        case ast.Attribute(ctx=ast.Store()):
            return node.attr
        case ast.alias():
            return node.asname
    return None


def words_of(name: str) -> str:
    """Words of an identifier, in lower case: of ``told_apart`` and of ``ToldApart``."""
    return " ".join(re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)).lower()
