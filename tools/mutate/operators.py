"""Finds the mutants of a source file on its syntax tree, with libclang.

What is mutated are the bodies of functions, constructors' initializers, and the
initial values of a class's members; who makes a plain struct gives its fields
values. Left out is what the running program does not
evaluate (constexpr variables, consteval functions, template arguments,
`if constexpr`, case labels, sizeof) and what only reports: the arguments of
macros, which here are CHECK, LOG and VLOG.

Offsets are those of bytes: a text is read as Latin-1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clang.cindex import CursorKind as Kind
from clang.cindex import Index, TypeKind

ARGUMENTS = ["-xc++", "-std=c++20"]
FUNCTIONS = {Kind.FUNCTION_DECL, Kind.CXX_METHOD, Kind.CONSTRUCTOR,
             Kind.DESTRUCTOR, Kind.CONVERSION_FUNCTION, Kind.FUNCTION_TEMPLATE}
NOT_EVALUATED = {Kind.STATIC_ASSERT, Kind.CXX_UNARY_EXPR}  # sizeof
RELATIONAL = {"<": ["<=", ">="], ">": [">=", "<="], "<=": ["<", ">"],
              ">=": [">", "<"], "==": ["!="], "!=": ["=="]}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "&": "|",
              "|": "&", "^": "&", "<<": ">>", ">>": "<<", "+=": "-=",
              "-=": "+=", "*=": "/=", "/=": "*=", "&=": "|=", "|=": "&="}
LOGICAL = ("&&", "||")
CONDITIONS = ("relational", "logical", "constant")
LOCKS = re.compile(r"(?:base::)?(MutexLock|SpinLockHolder)$")
# To its end, with what is streamed into it.
REPORT = re.compile(r'\bD?(?:V?LOG|CHECK)(?:_\w+)?\('
                    r'(?:"(?:\\.|[^"\\])*"|\'.\'|//.*|[^;"])*;')
COMMUTATIVE = {"min", "max", "swap", "tie"}
NUMBER = re.compile(r"(?:0[xX][\da-fA-F']+|[\d']+)[uUlL]*")
NOTHING = re.compile(r"\{\}|std::nullopt|nullptr|\w+ ?\{\}|\w+\(\)|"
                     r"absl::OkStatus\(\)|\"\"")


@dataclass(frozen=True, order=True)
class Mutant:
    """A change of the bytes from `start` to `end`."""
    start: int
    end: int
    operator: str
    after: str      # what stands there then
    schema: str     # "expression", "statement", "return", "lock"
    function: str = field(compare=False, default="")


def strip(cursor: Any) -> Any:
    """Returns what is within parentheses and conversions."""
    while cursor.kind in (Kind.PAREN_EXPR, Kind.UNEXPOSED_EXPR):
        children = list(cursor.get_children())
        if len(children) != 1:
            break
        cursor = children[0]
    return cursor


class Finder:
    """Walks through one file."""

    def __init__(self, path: Path, include: Path) -> None:
        self.path = path
        self.text = path.read_text("latin-1")
        self.unit = parse(path, include)
        self.found: set[Mutant] = set()
        self.function = ""
        self.result: Any = None  # the type that the function returns
        self.reports = [found.span() for found in REPORT.finditer(self.text)]

    def is_here(self, cursor: Any) -> bool:
        """Says whether it stands in this file."""
        file = cursor.extent.start.file
        return file is not None and Path(file.name) == self.path

    def of(self, cursor: Any) -> str:
        """Returns its text."""
        return self.text[cursor.extent.start.offset:cursor.extent.end.offset]

    def add(self, cursor: Any, operator: str, after: str,
            schema: str = "expression", end: int | None = None) -> None:
        """Notes a mutant, unless it is one of what only reports."""
        start = cursor.extent.start.offset
        end = end or cursor.extent.end.offset
        if start < end and not any(first <= start and end <= last
                                   for first, last in self.reports):
            self.found.add(Mutant(start, end, operator, after, schema,
                                  self.function))

    def find(self) -> list[Mutant]:
        """Returns all mutants, in order."""
        for cursor in self.unit.cursor.get_children():
            if self.is_here(cursor):
                self.declaration(cursor)
        return sorted(self.found, key=lambda m: (m.start, -m.end, m))

    def declaration(self, cursor: Any) -> None:
        """Looks for bodies in a declaration."""
        if cursor.kind in FUNCTIONS:
            if re.search(r"\bconsteval\b", self.of(cursor).partition("{")[0]):
                return
            parent = cursor.semantic_parent
            is_member = parent is not None and parent.kind in (
                Kind.CLASS_DECL, Kind.STRUCT_DECL, Kind.CLASS_TEMPLATE)
            scope = parent.spelling + "::" if is_member else ""
            name = cursor.spelling.partition("<")[0]
            self.function = f"{scope}{name}()"
            # Of a template's no value is known that compiles for each type.
            self.result = None if cursor.kind == Kind.FUNCTION_TEMPLATE \
                else cursor.result_type
            for child in cursor.get_children():
                if child.kind.is_expression() or child.kind.is_statement():
                    self.walk(child)
        elif cursor.kind == Kind.FIELD_DECL and cursor.spelling.endswith("_"):
            self.function = f"{cursor.semantic_parent.spelling}::" \
                f"{cursor.spelling}"
            for child in cursor.get_children():
                if child.kind.is_expression():
                    self.walk(child)
        elif cursor.kind not in NOT_EVALUATED and cursor.kind.is_declaration():
            for child in cursor.get_children():
                self.declaration(child)

    def walk(self, cursor: Any, is_body: bool = False) -> None:
        """Notes the mutants of a statement or an expression and below."""
        if cursor.kind in NOT_EVALUATED:
            return
        children = list(cursor.get_children())
        if cursor.kind == Kind.VAR_DECL and re.search(
                r"\bconstexpr\b", self.of(cursor).partition("=")[0]):
            return
        if is_body:
            self.statement(cursor)
        self.expression(cursor, children)
        if cursor.kind == Kind.LAMBDA_EXPR:
            outer, self.result = self.result, None
            for child in children:
                self.walk(child)
            self.result = outer
            return
        for child, stands_alone in self.parts(cursor, children):
            self.walk(child, stands_alone)
        if cursor.kind == Kind.RETURN_STMT and children:
            self.returned(cursor, children[0])

    def parts(self, cursor: Any,
              children: list[Any]) -> Iterator[tuple[Any, bool]]:
        """Yields what lies below, and whether it is a statement of its own."""
        if cursor.kind == Kind.COMPOUND_STMT:
            yield from ((child, True) for child in children)
        elif cursor.kind == Kind.IF_STMT:
            if re.match(r"if\s+constexpr\b", self.of(cursor)):
                yield from ((child, True) for child in children[1:])
                return
            yield children[0], False
            self.condition(children[0])
            yield from ((child, True) for child in children[1:])
        elif cursor.kind == Kind.WHILE_STMT:
            yield from ((child, False) for child in children[:-1])
            self.condition(children[0])
            yield children[-1], True
        elif cursor.kind in (Kind.FOR_STMT, Kind.CXX_FOR_RANGE_STMT):
            yield from ((child, False) for child in children[:-1])
            yield children[-1], True
        elif cursor.kind == Kind.CASE_STMT:
            yield children[-1], True
        elif cursor.kind == Kind.DEFAULT_STMT:
            yield children[-1], True
        else:
            yield from ((child, False) for child in children)
            if cursor.kind == Kind.CONDITIONAL_OPERATOR:
                self.condition(children[0])

    def condition(self, cursor: Any) -> None:
        """Negates what no other operator changes, once they have been here."""
        end = cursor.extent.end.offset
        if cursor.kind.is_expression() and not any(
                mutant.start <= cursor.extent.start.offset + 1 and
                end - 1 <= mutant.end and mutant.operator in CONDITIONS
                for mutant in self.found):
            self.add(cursor, "condition", f"!({self.of(cursor)})")

    def binary(self, cursor: Any) -> tuple[str, Any, Any] | None:
        """Returns operator and operands, of an overloaded one too."""
        children = list(cursor.get_children())
        if len(children) < 2 or not cursor.kind.is_expression():
            return None
        left, right = children[0], children[-1]
        if (left.extent.start.offset != cursor.extent.start.offset or
                right.extent.end.offset != cursor.extent.end.offset):
            return None
        between = self.text[left.extent.end.offset:right.extent.start.offset]
        token = re.sub(r"//[^\n]*", "", between).strip()
        if token in RELATIONAL or token in ARITHMETIC or token in LOGICAL:
            return token, left, right
        return None

    def expression(self, cursor: Any, children: list[Any]) -> None:
        """Notes the mutants of one expression."""
        if found := self.binary(cursor):
            self.replaced(cursor, *found)
        text = self.of(cursor)
        if cursor.kind == Kind.UNARY_OPERATOR and text.startswith("!"):
            self.add(cursor, "logical", f"bool({self.of(children[0])})")
        elif cursor.kind == Kind.INTEGER_LITERAL and NUMBER.fullmatch(text):
            if self.text[cursor.extent.end.offset] != ">":  # of a template
                after = "0" if text == "1" else f"({text} + 1)"
                self.add(cursor, "constant", "1" if text == "0" else after)
        elif cursor.kind == Kind.CXX_BOOL_LITERAL_EXPR:
            self.add(cursor, "constant",
                     "false" if text == "true" else "true")
        elif cursor.kind == Kind.CALL_EXPR:
            self.swapped(cursor)

    def replaced(self, cursor: Any, token: str, left: Any, right: Any) -> None:
        """Notes the mutants of a binary operator."""
        if token in LOGICAL:
            for operand in (left, right):
                self.add(cursor, "logical", f"bool({self.of(operand)})")
        is_stream = token in ("<<", ">>") and \
            cursor.kind != Kind.BINARY_OPERATOR
        others = RELATIONAL.get(token) or [ARITHMETIC.get(token, "")]
        name = "relational" if token in RELATIONAL else "arithmetic"
        for other in others:
            if other and not is_stream:
                self.add(cursor, name,
                         f"{self.of(left)} {other} {self.of(right)}")

    def swapped(self, call: Any) -> None:
        """Notes two neighboring arguments of one type the wrong way round."""
        target = call.referenced
        if target is None or target.kind == Kind.CONSTRUCTOR or \
                call.spelling in COMMUTATIVE or \
                call.spelling.startswith("operator"):
            return
        arguments = list(call.get_arguments())
        start = call.extent.start.offset
        for first, second in zip(arguments, arguments[1:]):
            a, b = self.of(first), self.of(second)
            kinds = {first.type.get_canonical().spelling,
                     second.type.get_canonical().spelling}
            if len(kinds) > 1 or a == b or not a or not b or \
                    first.type.kind == TypeKind.DEPENDENT:
                continue
            text = self.of(call)
            at = first.extent.start.offset - start
            to = second.extent.start.offset - start
            self.add(call, "swapped arguments",
                     text[:at] + b + text[at + len(a):to] + a +
                     text[to + len(b):])

    def returned(self, cursor: Any, value: Any) -> None:
        """Notes another value that is returned."""
        bare = strip(value)
        text = self.of(value)
        kind = bare.type.get_canonical().kind
        if kind == TypeKind.BOOL:
            self.condition(value)
            return
        result = self.result
        if result is None or NOTHING.fullmatch(text) or \
                bare.kind == Kind.INTEGER_LITERAL or \
                result.get_canonical().kind in (
                    TypeKind.BOOL, TypeKind.LVALUEREFERENCE, TypeKind.AUTO):
            return
        if end := self.end_of_statement(cursor):
            self.add(cursor, "return value", "return {};", "return", end)

    def end_of_statement(self, cursor: Any) -> int | None:
        """Returns where it ends, with its semicolon."""
        if self.of(cursor).endswith(";"):
            return int(cursor.extent.end.offset)
        rest = re.compile(r"\s*;").match(self.text, cursor.extent.end.offset)
        return rest.end() if rest else None

    def statement(self, cursor: Any) -> None:
        """Notes that a statement is gone."""
        end = self.end_of_statement(cursor)
        if end is None:
            return
        text = self.of(cursor)
        if cursor.kind == Kind.DECL_STMT:
            variable = next(cursor.get_children())
            if LOCKS.search(variable.type.spelling):
                self.add(cursor, "lock removed", "", "lock", end)
        elif re.search(r"\.reserve\([^;]*\)$", text):
            return  # only faster
        elif cursor.kind in (Kind.BREAK_STMT, Kind.CONTINUE_STMT) or \
                text == "return" or cursor.kind.is_expression():
            is_wake = re.search(r"\bSignal(All)?\(\)$|notify_", text)
            self.add(cursor, "notify removed" if is_wake else
                     "statement deleted", "", "statement", end)


def parse(path: Path, *includes: Path, text: str | None = None,
          warnings: str = "-Wno-everything") -> Any:
    """Returns the syntax tree of a file, or of another text in its place."""
    return Index.create().parse(
        str(path), [*ARGUMENTS, warnings, *(f"-I{name}" for name in includes)],
        unsaved_files=[] if text is None else [(str(path), text)])


def errors(path: Path, includes: list[Path], text: str
           ) -> list[tuple[int, str]]:
    """Returns where the text does not compile as that file, and why."""
    return [(d.location.offset if d.location.file and
             Path(d.location.file.name) == path else -1, d.spelling)
            for d in parse(path, *includes, text=text).diagnostics
            if d.severity >= 3]


def finds_unlocked(path: Path, include: Path, text: str) -> bool:
    """Says whether clang's thread-safety analysis warns of the text as that
    file, as `make lint` would."""
    unit = parse(path, include, text=text, warnings="-Wthread-safety")
    return any("thread-safety-analysis" in d.option for d in unit.diagnostics)


def mutants_of(path: Path, include: Path) -> list[Mutant]:
    """Returns the mutants of a file, in order."""
    return Finder(path, include).find()
