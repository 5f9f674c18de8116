"""A place in a formula, and the errors that point at it.

In: text, and the functions that it may call.  Out: tokens one by one; errors that say what was typed, and where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symnet.errors import ArgumentError, ShapeError, SymnetError, clipped
from symnet.reading.hints import BARS, CALLED, KEYWORDS, of_operands, of_product
from symnet.reading.tokens import Token, formula_error, pointer, tokenize

DEEPEST = 60  # nested brackets, signs and powers; deeper text is refused
LONGEST_CALL = 60  # characters of what was typed in an error


class Cursor:
    """The tokens of a formula; `position` is the next one."""

    def __init__(self, text: str, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.text = text
        self.functions = functions
        self.depth = self.position = 0
        self.tokens = tokenize(text)

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def sees(self, *texts: str, ahead: int = 0) -> bool:
        token = self.tokens[min(self.position + ahead, len(self.tokens) - 1)]
        return token.kind in ("sign", "name") and token.text in texts

    def take(self) -> Token:
        token = self.token
        self.position += token.kind != "end"
        return token

    def expect(self, *texts: str) -> Token:
        if not self.sees(*texts):
            raise self.unexpected(" or ".join(map(repr, texts)), closing=texts[-1] if texts[-1] in ")]" else "")
        return self.take()

    def unexpected(self, expected: str, closing: str = "") -> ArgumentError:
        """The error for a token that cannot stand where it does."""
        token = self.token
        before = self.tokens[self.position - 1] if self.position else token
        if token.text in KEYWORDS:
            mend = KEYWORDS[token.text]
        elif token.text == "|" or (token.kind == "end" and before.text == "|"):
            mend = BARS
        elif before.ends_value() and (token.kind in ("name", "number") or token.text == "("):
            named = before.kind == "name" and token.kind != "sign" and self.is_function(before.text)
            mend = of_product(before.text, token.text, named)
        elif token.text == "," and any(each.text == "=" for each in self.tokens[: self.position]):
            mend = "Separate definitions by semicolons: y = w*x; (y - t)**2."
        elif token.kind == "end" and closing:
            mend = f"Write {closing!r} here."
        elif token.text in (")", "]"):
            mend = "Drop it, or open it before."
        else:
            mend = "Check the formula."
        return self.error(token.at, expected, token.shown, mend)

    def is_function(self, word: str) -> bool:
        return word in self.functions or word in CALLED

    def error(self, at: int, expected: str, got: str, mend: str) -> ArgumentError:
        return formula_error(self.text, at, expected, got, mend)

    def building(
        self, at: int, build: Callable[..., Any], *args: Any, hint: str = "", since: int | None = None, **keywords: Any
    ) -> Any:
        """Build a value by a call; an error of the algebra says what was typed, where, and what the operands are.

        The caret stands at `at`; `hint` is the operator, of two operands; what is built begins at `since` in the text,
        and ends before the next token.
        """
        try:
            return build(*args, **keywords)
        except SymnetError as error:
            said = of_operands(hint, *args) if hint and isinstance(error, ShapeError) else ""
            message = str(error) if since is None else self.in_own_words(str(error), since)
            raise type(error)(f"{message}{said}{pointer(self.text, at)}") from error

    def in_own_words(self, message: str, since: int) -> str:
        """An error's call as it was typed, where it names operands by letters of the library's own."""
        last = self.tokens[self.position - 1]
        typed, (call, colon, rest) = self.text[since : last.at + len(last.text)], message.partition(": expected ")
        shown = clipped(" ".join(typed.split()), LONGEST_CALL)
        return f"{shown}{colon}{rest}" if colon and "\n" not in call else message

    def enter(self, at: int) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            mend = "Name parts of it first: t = …; …"
            raise self.error(at, f"at most {DEEPEST} nested parts", "more", mend)
