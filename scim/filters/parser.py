"""Filters: from text to a tree (RFC 7644 3.4.2.2)."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from scim.errors import InvalidFilter, InvalidPath
from scim.filters.tree import (
    EQUALITY,
    OPERATORS,
    ORDERING,
    SUBSTRING,
    And,
    Comparison,
    Node,
    Not,
    Or,
    Present,
    ValuePath,
)
from scim.filters.words import Token, parse_literal, parse_tokens
from scim.schemas.attributes import Attribute, ResourceType, undeclared
from scim.schemas.comparing import VALUE
from scim.schemas.paths import Path, find_path

MAX_DEPTH = 50
MAX_TERMS = 200

_NOTHING = Comparison(Path(VALUE), "gt", None)
"""A comparison that nobody meets: no value is greater than null."""


def parse_filter(text: str, resource_type: ResourceType, beside: Sequence[ResourceType] = ()) -> Node:
    """The tree of the filter ``text``. Raises ``InvalidFilter`` naming the position and what was expected.

    An attribute that only a kind of resource searched ``beside`` has is one without a value here.
    """
    parser = _Parser(text, resource_type, beside)
    node = parser.parse_or()
    if parser.token.kind != "end":
        found = f"found {parser.token}"
        raise InvalidFilter(
            f"position {parser.token.at}: expected and, or, or the end of the filter, {found}"
        )
    return node


def parse_value_path(text: str, scope: Attribute, resource_type: ResourceType) -> tuple[Node, str | None]:
    """The filter and the sub-attribute of ``[filter]`` or ``[filter].sub``, as the path of a PATCH has it.

    ``scope`` is the attribute in front of the bracket. Raises ``InvalidFilter``,
    and ``InvalidPath`` for what follows the brackets.
    """
    parser = _Parser(text, resource_type)
    parser.expect_mark("[")
    node = parser.parse_inside(scope)
    sub = parser.take_sub()
    if parser.token.kind != "end":
        raise InvalidPath(
            f"expected a sub-attribute as in ].value or the end of the path, found {parser.token}"
        )
    return node, sub


class _Parser:
    """Recursive descent over the tokens; ``scope`` is the attribute whose brackets we are in."""

    def __init__(self, text: str, resource_type: ResourceType, beside: Sequence[ResourceType] = ()) -> None:
        self.tokens = parse_tokens(text)
        self.position = 0
        self.resource_type = resource_type
        self.beside = beside
        self.scope: Attribute | None = None
        self.depth = 0
        self.terms = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.tokens[self.position]
        self.position += token.kind != "end"
        return token

    def take_word(self, *words: str) -> bool:
        """Take the next token if it is one of ``words``."""
        if self.token.kind == "word" and self.token.text.lower() in words:
            self.take()
            return True
        return False

    def expect_mark(self, mark: str) -> None:
        token = self.take()
        if token.kind != "mark" or token.text != mark:
            raise InvalidFilter(f"position {token.at}: expected {mark!r}, found {token}")

    def parse_or(self) -> Node:
        return self.parse_chain("or", Or, self.parse_and)

    def parse_and(self) -> Node:
        return self.parse_chain("and", And, self.parse_term)

    def parse_chain(self, word: str, kind: type[And] | type[Or], parse: Callable[[], Node]) -> Node:
        nodes = [parse()]
        while self.take_word(word):
            nodes.append(parse())
        return balance(kind, nodes)

    def parse_term(self) -> Node:
        if self.token.kind == "mark" and self.token.text == "(":
            return self.parse_group()
        following = self.tokens[self.position + 1 : self.position + 2]
        if self.token.text.lower() == "not" and self.token.kind == "word" and following[0].text == "(":
            self.take()
            return Not(self.parse_group())
        return self.parse_expression()

    def parse_group(self) -> Node:
        self.expect_mark("(")
        return self.parse_nested(")")

    def parse_nested(self, closing: str) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise InvalidFilter(f"position {self.token.at}: the filter is nested deeper than {MAX_DEPTH}")
        node = self.parse_or()
        self.expect_mark(closing)
        self.depth -= 1
        return node

    def parse_inside(self, scope: Attribute) -> Node:
        """What stands in the brackets of ``scope``, up to and with the closing one."""
        if not (scope.multi_valued or scope.verbatim):
            raise InvalidFilter(
                f"{scope.name} has one value: a filter in brackets needs a multi-valued attribute"
            )
        if self.scope:
            raise InvalidFilter(f"position {self.token.at}: a filter in brackets cannot hold another one")
        self.scope = scope
        node = self.parse_nested("]")
        self.scope = None
        return node

    def parse_expression(self) -> Node:
        """One comparison, presence test or value path."""
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise InvalidFilter(f"position {self.token.at}: the filter has more than {MAX_TERMS} comparisons")
        path, is_ours = self.parse_attribute()
        is_list = self.token.kind == "mark" and self.token.text == "["
        node = self.parse_value_path(path) if is_list else self.parse_comparison(path)
        return node if is_ours else without_value(node)

    def parse_value_path(self, path: Path) -> Node:
        """``emails[...]``; and ``emails[...].value eq "x"``, which Entra sends: one element meets both."""
        if path.sub:
            raise InvalidFilter(
                f"position {self.token.at}: a filter in brackets goes with an attribute, not with {path}"
            )
        self.take()
        node = self.parse_inside(path.attribute)
        sub = self.take_sub()
        if sub:
            self.scope = path.attribute
            node = And(node, self.parse_comparison(Path(self.find_inside(path.attribute, sub, self.token))))
            self.scope = None
        return ValuePath(path, node)

    def take_sub(self) -> str | None:
        """``.sub`` behind a closing bracket."""
        if self.token.kind == "word" and self.token.text.startswith("."):
            return self.take().text[1:]
        return None

    def parse_attribute(self) -> tuple[Path, bool]:
        """What the next token names, and whether resources of our kind have it."""
        token = self.take()
        if token.kind != "word":
            raise InvalidFilter(f"position {token.at}: expected an attribute, found {token}")
        if self.scope:
            return Path(self.find_inside(self.scope, token.text, token)), True
        try:
            path, kind = find_path(token.text, (self.resource_type, *self.beside))
        except InvalidPath as error:
            raise InvalidFilter(f"position {token.at}: {error.detail}") from None
        if path.leaf.returned == "never":
            raise InvalidFilter(f"position {token.at}: {path} cannot be searched")
        return path, kind is self.resource_type

    def find_inside(self, scope: Attribute, name: str, token: Token) -> Attribute:
        sub = undeclared(name) if scope.verbatim else scope.find_sub(name)
        if sub is None and name.lower() == "value" and not scope.is_complex:
            return scope_value(scope)
        if sub is None:
            raise InvalidFilter(f"position {token.at}: {scope.name} has no sub-attribute {name!r}")
        return sub

    def parse_comparison(self, path: Path) -> Node:
        token = self.take()
        op = token.text.lower() if token.kind == "word" else ""
        if op == "pr":
            return Present(path)
        if op not in OPERATORS:
            raise InvalidFilter(
                f"position {token.at}: expected pr or one of {', '.join(OPERATORS)}, found {token}"
            )
        literal = self.take()
        value = parse_literal(literal)
        # Nothing but null compares to a complex value as a whole (RFC 7643 2.5).
        whole = value is None and op in EQUALITY and not self.scope and not path.sub
        comparison = Comparison(path if whole else self.compared(path, token), op, value)
        check_comparison(comparison, literal)
        return comparison

    def compared(self, path: Path, token: Token) -> Path:
        """A comparison on a complex or multi-valued attribute is one on its ``value`` (RFC 7643 2.4)."""
        attribute = path.attribute
        if (
            path.sub
            or self.scope
            or not (attribute.is_complex or attribute.verbatim or attribute.multi_valued)
        ):
            return path
        value = VALUE if attribute.verbatim else attribute.find_sub("value")
        if value is None and not attribute.is_complex:
            value = scope_value(attribute)
        if value is None:
            raise InvalidFilter(f"position {token.at}: {path} is complex; compare one of its sub-attributes")
        return Path(attribute, value, path.urn)


def without_value(node: Node) -> Node:
    """``node`` where its attribute has no value (RFC 7644 3.4.2.1): only ``ne`` and ``eq null`` are met."""
    is_met = isinstance(node, Comparison) and (node.op, node.value is None) in (("ne", False), ("eq", True))
    return Not(_NOTHING) if is_met else _NOTHING


def balance(kind: type[And] | type[Or], nodes: Sequence[Node]) -> Node:
    """The chain as a tree of least depth, so that no walk over it can exhaust the stack."""
    if len(nodes) == 1:
        return nodes[0]
    middle = (len(nodes) + 1) // 2
    return kind(balance(kind, nodes[:middle]), balance(kind, nodes[middle:]))


@lru_cache(maxsize=16)
def scope_value(attribute: Attribute) -> Attribute:
    """The element itself of a list of plain values such as ``schemas``, addressed as its ``value``."""
    return Attribute("value", attribute.type, case_exact=attribute.case_exact)


def check_comparison(comparison: Comparison, literal: Token) -> None:
    """Refuse what RFC 7644 3.4.2.2 gives no meaning, such as an order of booleans.

    Raises ``InvalidFilter``.
    """
    leaf, op, value = comparison.path.leaf, comparison.op, comparison.value
    kind = "boolean" if isinstance(value, bool) else leaf.type
    if op in ORDERING and kind in ("boolean", "binary"):
        raise InvalidFilter(f"position {literal.at}: {op} cannot compare the {kind} {comparison.path}")
    if op in SUBSTRING and (kind not in ("string", "reference") or not isinstance(value, str | None)):
        raise InvalidFilter(
            f"position {literal.at}: {op} compares strings, and {comparison.path} is a {kind}"
        )
    if value is not None and comparison.key is None:
        raise InvalidFilter(
            f"position {literal.at}: {comparison.path} compares to a {leaf.type}, not to {literal}"
        )
