"""Just enough of HCL to find what a mutant may change, by position in the text."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# A template's ${…} is part of its string; the numbers in it are found by looking inside.
TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)
  | (?P<heredoc><<-?(?P<end>\w+)\n.*?\n\s*(?P=end)\b)
  | (?P<string>")
  | (?P<number>\d+(\.\d+)?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_-]*)
  | (?P<newline>\n)
  | (?P<space>[ \t\r]+)
  | (?P<symbol>=>|==|!=|<=|>=|&&|\|\||\.\.\.|.)
    """,
    re.VERBOSE | re.DOTALL,
)
OPENING, CLOSING = "([{", ")]}"


class Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Item(NamedTuple):
    """`name = expression`, of a block or of an object, with what encloses it, outermost first."""

    name: str
    path: tuple[str, ...]
    start: int
    end: int
    expression: tuple[Token, ...]


def end_of_string(text: str, start: int) -> int:
    """The position after the string that starts here, templates in it included."""
    position = start + 1
    while text[position] != '"':
        if text[position] == "\\":
            position += 2
        elif text.startswith("${", position) and text[position - 1] != "$":
            position = end_of_template(text, position + 2)
        else:
            position += 1
    return position + 1


def end_of_template(text: str, start: int) -> int:
    depth, position = 1, start
    while depth:
        if text[position] == '"':
            position = end_of_string(text, position)
            continue
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        position += 1
    return position


def tokens(text: str) -> list[Token]:
    """All but comments and white space."""
    found, position = [], 0
    while position < len(text):
        match = TOKEN.match(text, position)
        assert match
        kind = str(match.lastgroup)
        end = end_of_string(text, position) if kind == "string" else match.end()
        if kind not in ("comment", "space"):
            found.append(Token(kind, text[position:end], position))
        position = end
    return found


def end_of_expression(stream: list[Token], index: int, *, within: bool) -> int:
    """The index of what ends the expression that starts here: a new line, a comma, a bracket."""
    depth = 0
    while index < len(stream):
        token = stream[index]
        if depth == 0 and (
            token.kind == "newline"
            or (
                token.kind == "symbol" and (token.text in CLOSING or (within and token.text == ","))
            )
        ):
            break
        if token.kind == "symbol":
            depth += (token.text in OPENING) - (token.text in CLOSING)
        index += 1
    return index


def items(text: str) -> Iterator[Item]:
    """Every argument of every block, and every item of every object literal."""
    stream = tokens(text)
    yield from _body(stream, 0, ())


def _body(stream: list[Token], index: int, path: tuple[str, ...]) -> Iterator[Item]:
    while index < len(stream):
        token = stream[index]
        if token.text == "}":
            return
        if token.kind != "name":
            index += 1
            continue
        following = index + 1
        labels = [token.text]
        while stream[following].kind in ("name", "string"):
            labels.append(stream[following].text.strip('"'))
            following += 1
        if stream[following].text == "=":
            end = end_of_expression(stream, following + 1, within=False)
            expression = tuple(stream[following + 1 : end])
            yield Item(token.text, path, token.start, expression[-1].end, expression)
            yield from _objects(list(expression), (*path, token.text))
            index = end
        else:
            assert stream[following].text == "{", f"{token} is neither argument nor block"
            yield from _body(stream, following + 1, (*path, ".".join(labels)))
            index = _matching(stream, following) + 1


def _objects(expression: list[Token], path: tuple[str, ...]) -> Iterator[Item]:
    """The items of the object literals in an expression, those inside others too."""
    for index, token in enumerate(expression):
        if token.text != "{":
            continue
        position, last = index + 1, _matching(expression, index)
        while position < last:
            if expression[position].kind == "newline" or expression[position].text == ",":
                position += 1
                continue
            key = expression[position]
            if expression[position + 1].text != "=":
                break  # `{ for …`
            end = end_of_expression(expression, position + 2, within=True)
            value = tuple(expression[position + 2 : end])
            separated = expression[end].text == ","
            last_character = (expression[end] if separated else value[-1]).end
            yield Item(key.text.strip('"'), path, key.start, last_character, value)
            position = end


def _matching(stream: list[Token], index: int) -> int:
    depth = 0
    for position in range(index, len(stream)):
        if stream[position].kind == "symbol":
            depth += (stream[position].text in OPENING) - (stream[position].text in CLOSING)
        if depth == 0:
            return position
    raise AssertionError(f"nothing closes {stream[index]}")
