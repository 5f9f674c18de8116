"""The grammar in the docstring of the loop language is the language: every class, with every field, in order."""

import re
from collections import Counter
from dataclasses import fields, is_dataclass

from symnet.loops import ir

RULE = re.compile(r"\b([A-Z]\w*)\(([\w, ]+)\)")
LANGUAGE = {name: made for name, made in vars(ir).items() if isinstance(made, type) and is_dataclass(made)}


def grammar() -> list[tuple[str, list[str]]]:
    """What the grammar says: (class, its fields)."""
    text = (ir.__doc__ or "").split("::\n", 1)[1].split("\n\nShapes,", 1)[0]
    return [(name, inside.split(", ")) for name, inside in RULE.findall(text)]


def test_the_grammar_names_every_field_of_every_class_and_no_other():
    assert dict(grammar()) == {name: [field.name for field in fields(made)] for name, made in LANGUAGE.items()}


def test_the_grammar_says_everything_once():
    assert set(Counter(name for name, _ in grammar()).values()) == {1}


def test_the_words_of_the_grammar_are_those_of_the_language():
    text = ir.__doc__ or ""
    assert set(re.findall(r"combine +::= (.*)", text)[0].replace("None (overwrite) | ", "").split(" | ")) == {
        combine for combine in ir.COMBINES if combine
    }
    assert re.findall(r"op: (.*)", text)[0].split(" | ") == list(ir.COMPARISON)
