"""The grammar of the SOQL subset: text in, syntax tree out."""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sandbox.salesforce.errors import SalesforceError


class Token(NamedTuple):
    """One word of a query: its kind, text and place."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True)
class Literal:
    """A literal: kind is string, number, boolean, null, date, datetime or relative (TODAY, LAST_N_DAYS:3)."""

    kind: str
    value: Any


@dataclass(frozen=True)
class Compare:
    """`path operator value`; the value is a Literal, a list of them or a Query (semi-join)."""

    path: str
    operator: str
    value: Any
    at: int


@dataclass(frozen=True)
class Logic:
    """and, or, not over conditions."""

    operator: str
    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Aggregate:
    """COUNT(), SUM(field) and kin; `path` is empty for COUNT(), `alias` where the query gives none."""

    function: str
    path: str
    alias: str
    at: int


@dataclass
class Query:
    """A parsed query. `fields` holds (path, place); `children` the sub-selects, keyed by what `object_name` says.

    `aliases` names fields of a grouped query by their place in `fields`.
    """

    fields: list[tuple[str, int]] = field(default_factory=list)
    aggregates: list[Aggregate] = field(default_factory=list)
    aliases: dict[int, str] = field(default_factory=dict)
    group: list[tuple[str, int]] = field(default_factory=list)
    children: list["Query"] = field(default_factory=list)
    object_name: str = ""
    object_at: int = 0
    alias: str = ""
    where: Any = None
    order: list[tuple[str, bool, bool, int]] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0

    @property
    def only_counts(self) -> bool:
        """Whether this is SELECT COUNT() alone, whose answer is a number without records."""
        bare = [(each.function, each.path, each.alias) for each in self.aggregates] == [("count", "", "")]
        return bare and not self.fields and not self.group


_TOKENS = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)
    |(?P<number>[+-]?\d+(?:\.\d+)?)
    |(?P<relative>(?:LAST|NEXT)_N_DAYS:\d+|(?:TODAY|YESTERDAY|TOMORROW|(?:LAST|THIS|NEXT)_(?:WEEK|MONTH|YEAR))\b)
    |(?P<word>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*)
    |(?P<sign><=|>=|!=|<>|[=<>(),])""",
    re.VERBOSE | re.IGNORECASE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_AGGREGATES = {"count", "count_distinct", "sum", "avg", "min", "max"}
_CLAUSES = {"where", "group", "having", "order", "limit", "offset", "for", "all", "using", "with"}
_SIGNS = {"=", "!=", "<>", "<", "<=", ">", ">="}


def parse(text: str) -> Query:
    """Return the tree of a query. Raises SalesforceError MALFORMED_QUERY."""
    parser = _Parser(text)
    try:
        query = parser.query()
    except RecursionError as error:
        raise SalesforceError("QUERY_TOO_COMPLICATED", "The query is nested too deeply.") from error
    parser.end()
    return query


def malformed(text: str, at: int, what: str, code: str = "MALFORMED_QUERY") -> SalesforceError:
    """Return the error that points at a place of the query, drawn as Salesforce draws it."""
    line = text.replace("\n", " ")
    start = max(0, at - 30)
    message = f"\n{line[start : at + 30]}\n{' ' * (at - start)}^\nERROR at Row:1:Column:{at + 1}\n{what}"
    return SalesforceError(code, message)


def unescape(quoted: str, *, like: bool = False) -> str:
    """Return what a quoted literal says; for LIKE the escapes of % and _ are left to the pattern."""

    def one(match: re.Match[str]) -> str:
        letter = match.group(1)
        return match.group(0) if like and letter in "%_\\" else _ESCAPES.get(letter.lower(), letter)

    return re.sub(r"\\(.)", one, quoted[1:-1], flags=re.DOTALL)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._next = 0

    def query(self) -> Query:
        self._expect("select")
        query = Query()
        self._select_list(query)
        self._expect("from")
        name = self._take("word")
        query.object_name, query.object_at = name.text, name.at
        if self._peek().kind == "word" and self._peek().text.lower() not in _CLAUSES:
            query.alias = self._take("word").text
        if self._accept("where"):
            query.where = self._condition()
        if self._accept("group"):
            self._expect("by")
            query.group = self._separated(self._path)
        if self._accept("order"):
            self._expect("by")
            query.order = self._separated(self._order_key)
        if self._accept("limit"):
            query.limit = self._count()
        if self._accept("offset"):
            query.offset = self._count()
        self._endings()
        return query

    def _count(self) -> int:
        if not self._peek().text.isdecimal():
            raise self._unexpected()
        return int(self._take("number").text)

    def _endings(self) -> None:
        """Take FOR VIEW and FOR REFERENCE, which change no answer; what only code in the org may say is refused."""
        while self._peek().text.lower() in ("for", "all"):
            first = self._peek()
            self._next += 1
            last = self._take("word")
            said = f"{first.text} {last.text}".upper()
            if said in ("ALL ROWS", "FOR UPDATE"):
                raise malformed(self._text, first.at, f"{said} not allowed in this context")
            if said not in ("FOR VIEW", "FOR REFERENCE"):
                self._next -= 1
                raise self._unexpected()

    def end(self) -> None:
        if self._peek().kind != "end":
            raise self._unexpected()

    def _split(self) -> list[Token]:
        tokens, at = [], 0
        while at < len(self._text):
            match = _TOKENS.match(self._text, at)
            if match is None:
                raise malformed(self._text, at, f"line 1:{at} no viable alternative at character '{self._text[at]}'")
            if match.lastgroup != "space":
                tokens.append(Token(str(match.lastgroup), match.group(), at))
            at = match.end()
        return [*tokens, Token("end", "<EOF>", at)]

    def _select_list(self, query: Query) -> None:
        for item in self._separated(self._select_item):
            if isinstance(item, Query):
                query.children.append(item)
            elif isinstance(item, Aggregate):
                query.aggregates.append(item)
            else:
                if alias := self._alias():
                    query.aliases[len(query.fields)] = alias
                query.fields.append(item)

    def _select_item(self) -> Any:
        if self._accept("("):
            child = self.query()
            self._expect(")")
            return child
        word = self._take("word")
        if word.text.lower() == "from":
            raise malformed(self._text, word.at, f"unexpected token: '{word.text}'")
        if word.text.lower() == "fields" and self._accept("("):
            which = self._take("word").text.upper()
            if which not in ("ALL", "STANDARD", "CUSTOM"):
                raise malformed(self._text, word.at, f"Invalid use of the FIELDS function: {which}")
            self._expect(")")
            return f"FIELDS({which})", word.at
        if word.text.lower() in _AGGREGATES and self._accept("("):
            path = "" if self._peek().text == ")" else self._take("word").text
            self._expect(")")
            return Aggregate(word.text.lower(), path, self._alias(), word.at)
        return word.text, word.at

    def _alias(self) -> str:
        token = self._peek()
        if token.kind != "word" or self._tokens[self._next + 1].text.lower() not in (",", "from"):
            return ""
        self._next += 1
        return token.text

    def _path(self) -> tuple[str, int]:
        word = self._take("word")
        return word.text, word.at

    def _condition(self) -> Any:
        parts = [self._term()]
        operator = ""
        while self._peek().text.lower() in ("and", "or"):
            word = self._peek().text.lower()
            if operator and word != operator:
                raise self._unexpected()
            operator = word
            self._next += 1
            parts.append(self._term())
        return Logic(operator, tuple(parts)) if operator else parts[0]

    def _term(self) -> Any:
        if self._accept("not"):
            return Logic("not", (self._term(),))
        if self._accept("("):
            inner = self._condition()
            self._expect(")")
            return inner
        path = self._take("word")
        operator = self._operator()
        return Compare(path.text, operator, self._operand(operator), path.at)

    def _operator(self) -> str:
        token = self._peek()
        self._next += 1
        word = token.text.lower()
        if token.kind == "sign" and word in _SIGNS:
            return "!=" if word == "<>" else word
        if word == "not":
            self._expect("in")
            return "not in"
        if token.kind == "word" and word in ("like", "in", "includes", "excludes"):
            return word
        self._next -= 1
        raise self._unexpected()

    def _operand(self, operator: str) -> Any:
        if operator not in ("in", "not in", "includes", "excludes"):
            return self._literal(like=operator == "like")
        self._expect("(")
        inner: Any
        if self._peek().text.lower() == "select":
            inner = self.query()
        else:
            inner = self._separated(self._literal)
        self._expect(")")
        return inner

    def _literal(self, *, like: bool = False) -> Literal:
        token = self._peek()
        self._next += 1
        if token.kind == "string":
            return Literal("string", unescape(token.text, like=like))
        if token.kind == "number":
            return Literal("number", float(token.text))
        if token.kind in ("date", "datetime"):
            return Literal(token.kind, token.text)
        if token.kind == "relative":
            return Literal("relative", token.text.upper())
        if token.text.lower() in ("true", "false"):
            return Literal("boolean", token.text.lower() == "true")
        if token.text.lower() == "null":
            return Literal("null", None)
        self._next -= 1
        raise self._unexpected()

    def _order_key(self) -> tuple[str, bool, bool, int]:
        path = self._take("word")
        if path.text.lower() in _AGGREGATES and self._accept("("):
            inner = "" if self._peek().text == ")" else self._take("word").text
            self._expect(")")
            path = path._replace(text=f"{path.text}({inner})")
        descending = not self._accept("asc") and self._accept("desc")
        nulls_last = descending
        if self._accept("nulls"):
            nulls_last = not self._accept("first")
            if nulls_last:
                self._expect("last")
        return path.text, descending, nulls_last, path.at

    def _separated(self, one: Any) -> list[Any]:
        found = [one()]
        while self._accept(","):
            found.append(one())
        return found

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _accept(self, text: str) -> bool:
        token = self._peek()
        if token.kind == "string" or token.text.lower() != text:
            return False
        self._next += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._unexpected()

    def _take(self, kind: str) -> Token:
        token = self._peek()
        if token.kind != kind:
            raise self._unexpected()
        self._next += 1
        return token

    def _unexpected(self) -> SalesforceError:
        token = self._peek()
        return malformed(self._text, token.at, f"unexpected token: '{token.text}'")
