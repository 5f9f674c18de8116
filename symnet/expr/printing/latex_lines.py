r"""Long formulas in LaTeX over several lines.

In: LaTeX for math mode, as `latex.py` writes it.  Out: lines, none wider than a text block where there is any place to
break it.  Brackets that a break divides are `\bigl(` and `\bigr)`; a fraction or a root wider than a line is written
as a quotient or a power of brackets.  Widths are those of Computer Modern, estimated letter by letter.
Not handled: matrices and cases, which no line break divides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import dropwhile

from symnet.expr.printing.line_breaks import FACTOR, NEVER, OPERATION, TERM, Piece, indent, lines

TEXT_WIDTH = 33.0  # em: a text block of 345 pt in letters of 10 pt, and something to spare

_TOKEN = re.compile(r"\s+|\\(?:left|right)(?![a-zA-Z])\s*(?:\\[a-zA-Z]+|\\.|.)|\\[a-zA-Z]+|\\.|.", re.DOTALL)
_BINARY = {
    "+": TERM,
    "-": TERM,
    "/": OPERATION,
    r"\odot": OPERATION,
    r"\cdot": OPERATION,
    r"\wedge": OPERATION,
    r"\vee": OPERATION,
}
_RELATIONS = {"=", "<", ">", r"\leq", r"\geq", r"\neq", r"\to", r"\mapsto", r"\leftarrow", ":"}
_ARGUMENTS = {r"\frac": 2, **dict.fromkeys(
    (r"\sqrt", r"\operatorname", r"\mathbf", r"\mathrm", r"\bar", r"\hat", r"\tilde", r"\dot", r"\vec", r"\text",
     r"\textbf", r"\boldsymbol", r"\mathcal", r"\mathbb"), 1)}  # fmt: skip
_GLUED = {r"\sum", r"\det", r"\neg", r"\log", r"\partial", r"\bmod"}  # what follows stays in the line
_SPACES = {r"\,": 0.17, r"\;": 0.28, r"\quad": 1.0, r"\qquad": 2.0, " ": 0.0}
_WIDTHS = {
    r"\sum": 1.2, r"\partial": 0.55, r"\top": 0.78, r"\odot": 0.78, r"\cdot": 0.28, "+": 0.78, "-": 0.78, "=": 0.78,
    r"\to": 1.0, r"\leftarrow": 1.0, r"\mapsto": 1.0, r"\ldots": 1.2, "(": 0.39, ")": 0.39, "[": 0.28, "]": 0.28,
    ",": 0.44, ":": 0.28, ".": 0.28, "m": 0.88, "M": 1.0, "W": 1.0, "w": 0.72, "i": 0.35, "j": 0.42, "l": 0.3,
}  # fmt: skip
_LETTER, _CAPITAL, _GREEK = 0.54, 0.76, 0.6
_SMALL = 0.72  # an index beside its letter


class Scanner:
    """Pieces of a formula, read from left to right."""

    def __init__(self, latex: str, widest: float) -> None:
        self.tokens = _TOKEN.findall(latex)
        self.widest = widest
        self.pieces: list[Piece] = []
        self.open: list[Piece] = []
        self.spaced = False

    def scan(self, depth: int = 0) -> list[Piece]:
        """All pieces, `depth` brackets being open around them."""
        while self.tokens:
            token = self.tokens.pop(0)
            if token.isspace():
                self.spaced = True
            elif token in ("^", "_"):
                self._suffix(token)
            elif _opens(token):
                self._add(token, 0.45, depth, self._as_factor())
                self.pieces[-1].pair = object()
                self.open.append(self.pieces[-1])
                depth += 1
            elif _closes(token) and self.open:
                depth -= 1
                self._add(token, 0.45, depth, NEVER)
                self.pieces[-1].pair = self.open.pop().pair
            else:
                self._atom(token, depth)
        return self.pieces

    def _add(self, text: str, width: float, depth: int, begins: int) -> None:
        between = " " if self.spaced and self.pieces else ""
        self.pieces.append(Piece(between + text, width, depth, begins))
        self.spaced = False

    def _as_factor(self) -> int:
        """Whether a line may begin with a factor here: after a space, and not after an operation."""
        last = self.pieces[-1].text.strip() if self.pieces else ""
        held = last in _BINARY or last in _RELATIONS or last in _GLUED or last in _SPACES or _opens(last) or last == ","
        return FACTOR if self.spaced and last and not held else NEVER

    def _atom(self, token: str, depth: int) -> None:
        last = self.pieces[-1].text.strip() if self.pieces else ""
        signs = not last or _opens(last) or last in _BINARY or last in _RELATIONS or last == ","
        if token in _BINARY and not signs:
            self._add(token, _width_of(token) + 0.44, depth, _BINARY[token])
        elif token in _RELATIONS:
            self._add(token, _width_of(token) + 0.56, depth, OPERATION if last and token != ":" else NEVER)
        elif token in _SPACES:
            self._add(token, _SPACES[token], depth, TERM if token in (r"\quad", r"\qquad") and last == "," else NEVER)
        else:
            begins = NEVER if token == "," else self._as_factor()
            text = token + "".join(self.argument() for _ in range(_ARGUMENTS.get(token, 0)))
            text += self._environment() if token == r"\begin" else self._group() if token == "{" else ""
            wide = _atom_width(token, text)
            alone = (signs or last in ("+", "-")) and self._term_ends()
            opened = _opened(token, text, alone) if token in (r"\frac", r"\sqrt") and wide > self.widest else ""
            if opened:
                self.tokens = _TOKEN.findall(opened) + self.tokens
            else:
                self._add(text, wide, depth, begins)

    def _term_ends(self) -> bool:
        """Whether a term, or a bracket, ends here."""
        token = next((t for t in self.tokens if not t.isspace()), "")
        return not token or token in ("+", "-", ",") or token in _RELATIONS or _closes(token)

    def argument(self) -> str:
        """What stands in braces, or brackets and braces, or is one token."""
        while self.tokens and self.tokens[0].isspace():
            self.tokens.pop(0)
        if not self.tokens:
            return ""
        first = self.tokens.pop(0)
        if first not in "{[":
            return first
        read = first + self._group(first, {"{": "}", "[": "]"}[first])
        return read + (self.argument() if first == "[" else "")

    def _group(self, first: str = "{", close: str = "}") -> str:
        """What follows an opening brace, to the one that closes it."""
        read, depth = "", 1
        while depth and self.tokens:
            token = self.tokens.pop(0)
            depth += (token == first) - (token == close)
            read += token
        return read

    def _environment(self) -> str:
        read, depth = "", 1
        while depth and self.tokens:
            token = self.tokens.pop(0)
            depth += (token == r"\begin") - (token == r"\end")
            read += token
        return read + self.argument()

    def _suffix(self, token: str) -> None:
        raised = token + self.argument()
        if not self.pieces:
            self._add("{}", 0.0, 0, NEVER)
        self.pieces[-1].text += raised
        self.pieces[-1].width += _SMALL * width(raised[1:])
        self.spaced = False


def _opens(token: str) -> bool:
    return token in ("(", "[") or (token.startswith(r"\left") and token != r"\leftarrow")


def _closes(token: str) -> bool:
    return token in (")", "]") or (token.startswith(r"\right") and token != r"\rightarrow")


def _opened(command: str, latex: str, alone: bool) -> str:
    """A fraction as a quotient of brackets, a root as a power of one; nothing for other roots.

    Args:
        command: either of them.
        latex: all of it.
        alone: whether it is a whole term; among factors a quotient stands in brackets.
    """
    scanner = Scanner(latex[len(command) :], math.inf)
    parts = [scanner.argument() for _ in range(_ARGUMENTS[command])]
    if not all(part.startswith("{") for part in parts):
        return ""
    inner = [part[1:-1] for part in parts]
    if command == r"\sqrt":
        return rf"\left({inner[0]}\right)^{{1/2}}"
    above, below = (Scanner(part, math.inf).scan() for part in inner)
    top = inner[0] if _is_product(above) else rf"\left({inner[0]}\right)"
    quotient = f"{top} / " + (inner[1] if len(below) < 2 else rf"\left({inner[1]}\right)")
    return quotient if alone else rf"\left({quotient}\right)"


def _is_product(pieces: Sequence[Piece]) -> bool:
    """Whether a formula needs no brackets before a division."""
    return not any(p.begins == TERM and not p.depth for p in pieces) and not pieces[0].text.startswith("-")


def _width_of(symbol: str) -> float:
    if symbol in _WIDTHS:
        return _WIDTHS[symbol]
    if symbol.startswith("\\"):
        return _GREEK if len(symbol) > 2 else 0.3
    return _CAPITAL if symbol.isupper() else _LETTER


def width(latex: str) -> float:
    """About how wide LaTeX is set, in em."""
    return sum(piece.width for piece in Scanner(latex, math.inf).scan())


def _atom_width(token: str, text: str) -> float:
    """The width of a piece: a symbol, or a command with its arguments."""
    inside = text[len(token) :]
    if token == r"\frac":
        scanner = Scanner(inside, math.inf)
        return 0.3 + max(width(scanner.argument()[1:-1]) for _ in range(2))
    if token == r"\sqrt":
        return 0.9 + width(inside[inside.index("{") + 1 : -1])
    if token == r"\begin":
        return 1.5 + max(sum(1.0 + width(cell) for cell in row) for row in _cells(inside))
    if token in (r"\bar", r"\hat", r"\tilde", r"\dot", r"\vec"):
        return width(inside[1:-1])
    if token in _ARGUMENTS:
        return 0.5 * (len(inside) - 2) + (0.17 if token == r"\operatorname" else 0.0)
    return width(text[1:-1]) if token == "{" else _word_width(token)


def _cells(inside: str) -> list[list[str]]:
    """The cells of an environment, row by row."""
    rows, depth = [[""]], 0
    for token in _TOKEN.findall(re.sub(r"^\{\w+\}|\\end\{\w+\}$", "", inside)):
        depth += (token == r"\begin") - (token == r"\end")
        if token == r"\\" and not depth:
            rows.append([""])
        elif token == "&" and not depth:
            rows[-1].append("")
        else:
            rows[-1][-1] += token
    return rows


def _word_width(name: str) -> float:
    """A symbol or a function's name."""
    words = (r"\exp", r"\log", r"\tanh", r"\sin", r"\cos", r"\tan", r"\sinh", r"\cosh", r"\max", r"\min", r"\det")
    return 0.5 * (len(name) - 1) + 0.17 if name in words else _width_of(name)


def broken(latex: str, first: float = TEXT_WIDTH, rest: float = TEXT_WIDTH) -> list[str]:
    """The lines of a formula; those after the first begin with their indent.

    Args:
        latex: for math mode.
        first: em that the first line has room for.
        rest: em for every other line.
    """
    if width_within(latex, first):
        return [latex]
    found = lines(Scanner(latex, rest - 6).scan(), first, rest)
    return [latex] if len(found) == 1 else [_line(line, found) for line in found]


def width_within(latex: str, room: float) -> bool:
    """Whether a formula is surely no wider: short ones are told from their letters."""
    return len(latex) < room or width(latex) <= room


def _line(line: Sequence[Piece], all_lines: Sequence[Sequence[Piece]]) -> str:
    """A line as it is written, with its indent."""
    is_first = line is all_lines[0]
    line = list(dropwhile(lambda piece: piece.text.strip() in _SPACES, line))
    here = [piece.pair for piece in line if piece.pair is not None]
    written = "".join(_sized(piece, all_lines) if here.count(piece.pair) == 1 else piece.text for piece in line).strip()
    first = line[0]
    if is_first:
        return written
    times = {FACTOR: r"\cdot ", TERM: "{} "}.get(first.begins, "")
    return r"\quad" * round(indent(first)) + f" {times}{written}"


def _sized(piece: Piece, all_lines: Iterable[Sequence[Piece]]) -> str:
    r"""A bracket whose other half is in another line: \bigl( in the place of \left(."""
    match = re.match(r"(\s*)\\(left|right)\s*(\\[a-zA-Z]+|\\.|.)(.*)", piece.text, re.DOTALL)
    if match is None:
        return piece.text
    space, side, bracket, suffix = match.groups()
    between = [p for line in all_lines for p in line]
    ends = [k for k, p in enumerate(between) if p.pair is piece.pair]
    tall = any(r"\frac" in p.text or r"\sum" in p.text for p in between[ends[0] : ends[-1]])
    return f"{space}{chr(92)}{'Bigg' if tall else 'big'}{side[0]}{bracket}{suffix}"
