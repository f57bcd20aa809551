"""The catalogue of words: every code exists with its facts, and no module reads a sentence."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from functools import cache

import pytest
from conftest import ROOT

from eventstudy.words import Reason, has, say, words
from eventstudy.words.catalogue import FORMATS, sentences

PACKAGE = ROOT / "eventstudy"
# Modules that read the messages of other packages, systems and sites.
READ_OTHERS = (
    "prices/", "files/", "calendars/", "events/", "records/", "settings/study_file.py"
)  # fmt: skip
READING = {
    "startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition", "contains",
    "find", "index", "match", "fullmatch", "search", "compile", "sub", "findall",
}  # fmt: skip
WORDS = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")


# The functions that take a code, and which argument it is.
TAKE_CODES = {"say": 0, "make_error": 1, "Reason": 0, "require": 1}


@cache
def modules() -> list[tuple[str, str, ast.Module]]:
    """Return the place, the text and the syntax tree of each module of the package."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append((path.relative_to(PACKAGE).as_posix(), text, ast.parse(text)))
    return found


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls of a function by its name, with the place of each."""
    is_in_words = name in ("say", "make_error", "Reason")
    imported = re.compile(r"(words|catalogue) import" if is_in_words else name)
    for place, text, tree in modules():
        if not imported.search(text):
            continue
        for node in ast.walk(tree):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if named and node.func.id == name and len(node.args) > TAKE_CODES[name]:
                yield f"{place}:{node.lineno}", node


def codes_of(node: ast.expr) -> str:
    """Return a pattern of the codes of a call: an f-string may name several."""
    if isinstance(node, ast.Constant):
        return re.escape(str(node.value))
    if isinstance(node, ast.JoinedStr):
        parts = (
            re.escape(str(v.value)) if isinstance(v, ast.Constant) else r"[\w.]*"
            for v in node.values
        )
        return "".join(parts)
    if isinstance(node, ast.IfExp):
        return f"{codes_of(node.body)}|{codes_of(node.orelse)}"
    return r".*"


@pytest.mark.slow
@pytest.mark.parametrize(("function", "argument"), TAKE_CODES.items())
def test_every_code_is_in_the_catalogue(function: str, argument: int) -> None:
    prefix = "" if function in ("say", "make_error") else "reason."
    patterns = [
        (place, re.compile(codes_of(call.args[argument]))) for place, call in calls(function)
    ]
    codes = [code.removeprefix(prefix) for code in sentences()]
    missing = [
        f"{place}: {pattern.pattern}"
        for place, pattern in patterns
        if not any(pattern.fullmatch(code) for code in codes)
    ]
    assert patterns
    assert missing == []


def named_codes() -> set[str]:
    """Return patterns of all texts of modules and templates that may be codes, or end in one."""
    patterns = set()
    for _, _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) or (
                isinstance(node, ast.Constant) and isinstance(node.value, str)
            ):
                patterns.add(codes_of(node))
    for path in (PACKAGE / "report" / "templates").iterdir():
        for text, more in re.findall(r'"([\w.]+)"( ~)?', path.read_text(encoding="utf-8")):
            patterns.add(re.escape(text) + r"[\w.]*" * bool(more))
    # Those of Reason itself fit every reason.
    code = re.compile(r"\w{3}(\w|\\[.-]|\[\\w\.\]\*)*")
    return {p for p in patterns if code.fullmatch(p) and not p.startswith(r"reason\.[")}


def test_no_code_is_unused() -> None:
    """A code is named in full, by an f-string, or by its beginning (``robustness.firms``)."""
    named = re.compile("|".join(sorted(named_codes())))
    unused = []
    for code in sentences():
        parts = code.removeprefix("reason.").split(".")
        if code.startswith("reason."):
            parts = parts[:1]
        heads = [".".join(parts[:k]) for k in range(2, len(parts) + 1)] or parts
        if not any(named.fullmatch(head) for head in [code, *heads]):
            unused.append(code)
    assert unused == []


def test_a_head_is_that_of_one_column() -> None:
    heads = {code: text for code, text in sentences().items() if "column" in code.split(".")}
    assert len(heads) > 50
    assert [code for code, text in heads.items() if "|" in text] == []


def test_every_field_has_a_format_that_exists() -> None:
    for code, sentence in sentences().items():
        for _, field, form, _ in string.Formatter().parse(sentence):
            if field is None:
                continue
            assert field.isidentifier(), (code, field)
            kind = form or ""
            if kind in FORMATS or hasattr(words(), kind) or kind[:1] in ("#", "?"):
                assert kind[:1] != "?" or "|" in kind, (code, kind)
                continue
            format(1.5 if kind.rstrip("%")[-1:] in ("f", "g", "") else 1, kind)


def test_sentences_have_no_blank_ends_and_no_double_blanks() -> None:
    odd = [code for code, text in sentences().items() if "  " in text]
    assert odd == []


@pytest.mark.parametrize(
    ("form", "n", "expected"),
    [
        ("#event", 1, "1 event"),
        ("#event", 1200, "1,200 events"),
        ("#index|indices", 2, "2 indices"),
        ("?has|have", 1, "has"),
        ("?has|have", 0, "have"),
        ("?it has|all # have", 1200, "all 1,200 have"),
    ],
)
def test_singular_and_plural(form: str, n: int, expected: str) -> None:
    from eventstudy.words.catalogue import _field

    assert _field(n, form) == expected


def test_a_reason_is_its_sentence_its_code_and_its_facts() -> None:
    import pickle

    reason = Reason("few_days", n=3, needed=5)
    assert (reason.code, reason.facts) == ("few_days", {"n": 3, "needed": 5})
    again = pickle.loads(pickle.dumps(reason))
    assert (again, again.code, again.facts) == (reason, reason.code, reason.facts)
    assert Reason.of(reason) is reason
    assert Reason.of("free text").code == "other"
    assert not Reason.of("")


def test_the_example_of_a_reason_has_the_numbers_that_its_head_lacks() -> None:
    reason = Reason("few_days", n=3, needed=30)
    assert reason.head == "too few complete days in the estimation window"
    assert reason.example == "3 complete days, at least 30 are needed"
    assert Reason("no_trade", symbol="A", n=3).example == ""


def test_an_unknown_code_and_a_missing_fact_are_errors() -> None:
    with pytest.raises(KeyError):
        say("no.such.code")
    with pytest.raises(KeyError):
        say("reason.few_days", n=1)
    assert has("reason.few_days")
    assert not has("no.such.code")


def reads(node: ast.AST) -> Iterator[str]:
    """Yield the sentences that an expression looks for in a text."""
    method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    if method and node.func.attr in READING:
        for arg in node.args[:1]:
            yield from constants(arg)
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        yield from constants(node.left)


def constants(node: ast.expr) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def test_no_module_reads_a_sentence() -> None:
    found = []
    for place, _, tree in modules():
        if place.startswith(READ_OTHERS):
            continue
        for node in ast.walk(tree):
            found += [
                f"{place}:{node.lineno}: {text}"  # type: ignore[attr-defined]
                for text in reads(node)
                if WORDS.search(text.replace("\\", ""))
            ]
    assert found == []
