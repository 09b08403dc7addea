"""Which programs and libraries the tree's files call, by reading them.

Called by packages_test.py. A reading, not a proof: what a program is called by
must be written out, as a command of a shell script, a Makefile's recipe, a list
in Python that subprocess gets, or a string in C++ that popen() gets. Paths and
variables are not followed; a path into /bin or /usr/bin is.
"""

import ast
import re
import sys
from collections.abc import Iterator

# Words of bash itself, as far as the tree uses them.
SHELL_WORDS = frozenset(
    ". : [ alias bg break builtin cd compgen continue declare dirs disown "
    "echo eval exit export false fg getopts hash jobs kill let local mapfile "
    "printf pwd read readarray readonly return set shift shopt source test "
    "time times trap true type ulimit umask unset wait".split())
# Words after which a command stands.
OPENERS = frozenset("if then elif else while until do ! { exec env command "
                    "sudo builtin".split())

TOKEN = re.compile(r"""
    (?P<space>(?:[ \t]|\\\n)+)
  | (?P<comment>(?<![^\s;|&()])\#[^\n]*)
  | (?P<heredoc><<-?[ ]*(?:'[^'\n]+'|"[^"\n]+"|\w+))
  | (?P<inside>[<>]\()
  | (?P<redirect>(?:&>>?|\d*[<>]{1,3}[&|]?))
  | (?P<test>\[\[)
  | (?P<arithmetic>\(\()
  | (?P<end>;;&?|;&|\|\||&&|\|&?|;|&|\n|\(\s*\)|\(|\))
  | (?P<word>(?:\\.|'[^']*'|[^\s;|&()<>'"$`\\]|\$)+)
  | (?P<quote>")
  | (?P<tick>`)
""", re.VERBOSE | re.DOTALL)


class ShellReader:
    """The command words of one shell script."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.called: set[str] = set()
        self.functions: set[str] = set()
        self.heredocs: list[str] = []

    def read(self) -> set[str]:
        """Returns the first words of all commands but bash's own."""
        while self.place < len(self.text):
            self.commands()
        return {word for word in self.called - self.functions - SHELL_WORDS
                if re.fullmatch(r"[\w.+-]+", word)}

    # pylint: disable-next=too-many-branches
    def commands(self) -> None:
        """Reads commands, to the parenthesis that closes them."""
        expected, patterns, words = True, False, []
        while self.place < len(self.text):
            match = TOKEN.match(self.text, self.place)
            kind = match.lastgroup if match else ""
            token = match.group() if match else self.text[self.place]
            if kind in ("word", "quote", "tick", ""):
                word = self.word()
                words.append(word)
                if patterns:
                    patterns = word != "esac"
                elif expected:
                    expected = self.command_word(word)
                continue
            self.place += len(token)
            if kind == "end":
                if token.startswith("(") and token.endswith(")"):
                    self.functions |= set(words[-1:])
                elif token == "(" and not patterns:
                    self.commands()
                elif token == ")" and not patterns:
                    return
                elif token == ")":
                    patterns = False
                elif token.startswith(";;"):
                    patterns = True
                    words = []
                    continue
                if "case" in words[:1] and "in" in words:
                    patterns = True
                if token == "\n":
                    self.skip_heredocs()
                expected, words = True, []
            elif kind == "space" and "case" in words[:1] and words[-1] == "in":
                patterns, words = True, []
            elif kind == "heredoc":
                self.heredocs.append(token.lstrip("<- ").strip("'\""))
            elif kind == "inside":
                self.commands()
            elif kind == "redirect":
                self.skip_spaces()
                self.word()
            elif kind == "test":
                self.skip_past("]]")
                expected = False
            elif kind == "arithmetic":
                self.skip_past("))")
                expected = False

    def command_word(self, word: str) -> bool:
        """Takes a word where a command may stand; true if one may still."""
        if re.match(r"\w+(\[[^]]*\])?\+?=", word):
            if word.endswith("=") and self.text[self.place:][:1] == "(":
                self.skip_array()
            return True
        if word in OPENERS or word.startswith("-"):
            self.called |= {word} & {"env", "sudo"}
            return True
        if word in ("case", "for", "select", "fi", "done", "esac", "}", "in"):
            return word in ("fi", "done", "esac", "}")
        self.called.add(re.sub(r"^(/usr)?/bin/", "", word))
        return False

    def word(self) -> str:
        """Reads a word; what is expanded in it is read as commands."""
        word = ""
        while self.place < len(self.text):
            if self.text.startswith("$((", self.place):
                self.skip_past("))")
                word += "$"
            elif self.text.startswith("$(", self.place):
                self.place += 2
                self.commands()
                word += "$"
            elif self.text.startswith("${", self.place):
                self.skip_braces()
                word += "$"
            elif self.text[self.place] == '"':
                word += self.double_quoted()
            elif self.text[self.place] == "`":
                self.place += 1
            elif match := re.compile(
                    r"\\.|'[^']*'|[^\s;|&()<>'\"`\\]", re.DOTALL).match(
                        self.text, self.place):
                self.place = match.end()
                word += match.group().strip("'")
            else:
                break
        if word == "":
            self.place += 1  # nothing that a word begins with
        return word

    def double_quoted(self) -> str:
        """Reads what is between double quotes."""
        word = ""
        self.place += 1
        while self.place < len(self.text) and self.text[self.place] != '"':
            if self.text.startswith("$(", self.place) and \
                    not self.text.startswith("$((", self.place):
                self.place += 2
                self.commands()
                word += "$"
            elif self.text.startswith("${", self.place):
                self.skip_braces()
                word += "$"
            else:
                length = 2 if self.text[self.place] == "\\" else 1
                word += self.text[self.place:self.place + length]
                self.place += length
        self.place += 1
        return word

    def skip_spaces(self) -> None:
        """Skips spaces and tabs."""
        while self.text[self.place:self.place + 1] in (" ", "\t"):
            self.place += 1

    def skip_past(self, closing: str) -> None:
        """Skips everything up to that."""
        found = self.text.find(closing, self.place)
        self.place = len(self.text) if found < 0 else found + len(closing)

    def skip_braces(self) -> None:
        """Skips ${...}."""
        depth = 0
        while self.place < len(self.text):
            depth += {"{": 1, "}": -1}.get(self.text[self.place], 0)
            self.place += 1
            if depth == 0 and self.text[self.place - 1] == "}":
                return

    def skip_array(self) -> None:
        """Skips name=(...), but for the commands that it expands."""
        self.place += 1
        while self.place < len(self.text) and self.text[self.place] != ")":
            match = TOKEN.match(self.text, self.place)
            if match and match.lastgroup in ("space", "comment") or \
                    self.text[self.place] == "\n":
                self.place += len(match.group()) if match else 1
            else:
                self.word()
        self.place += 1

    def skip_heredocs(self) -> None:
        """Skips the texts that the line before announced."""
        for name in self.heredocs:
            end = re.compile(rf"^\t*{re.escape(name)}$", re.MULTILINE).search(
                self.text, self.place)
            self.place = end.end() if end else len(self.text)
        self.heredocs = []


def in_shell(text: str) -> set[str]:
    """Returns the programs that a shell script calls."""
    shebang = re.match(r"#!(?:/usr)?/bin/(?:env )?(\w+)", text)
    return ShellReader(text).read() | ({shebang[1]} if shebang else set())


def in_makefile(text: str) -> set[str]:
    """Returns the programs that its recipes and $(shell)s call."""
    found = set(re.findall(r"^(?:CXX\w*|PYTHON|SHELL) :?= (?:/usr)?(?:/bin/)?"
                           r"([\w+-]+)$", text, re.MULTILINE))
    text = re.sub(r"(?m)^(?!\t)#.*$", "", text)
    while match := re.search(r"(?<!\$)\$\(([^()]*)\)", text):
        if match[1].startswith("shell "):
            found |= in_shell(match[1].removeprefix("shell "))
        text = text.replace(match.group(), "$make")
    recipes = re.findall(r"(?m)^\t[@-]*((?:.*\\\n)*.*)$", text)
    for recipe in recipes:
        found |= in_shell(recipe.replace("$$", "$"))
    return found


def first_strings(node: ast.expr | None) -> set[str]:
    """Returns the program of a command that is written out."""
    if isinstance(node, (ast.List, ast.Tuple)) and node.elts:
        node = node.elts[0]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {re.sub(r"^(/usr)?/bin/", "", node.value)}
    return set()


def in_python(text: str) -> set[str]:
    """Returns the programs that Python code starts or looks for."""
    tree = ast.parse(text)
    lists: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List):
            for target in node.targets:
                lists.setdefault(ast.unparse(target), set()).update(
                    first_strings(node.value))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) \
                and re.match(r"#!/\S*(\s\S*)?\bsh\n|#!\S*\bbash\n", node.value):
            found |= in_shell(node.value)
        if isinstance(node, ast.Call) and node.args and re.fullmatch(
                r"(subprocess|os|shutil|[\w.]*[Ll]auncher(\(\))?)\.(run|start|"
                r"Popen|call|check_call|which|check_output|exec\w+)|"
                r"run|ask|Popen|which",
                ast.unparse(node.func)):
            found |= first_strings(node.args[0])
            found |= lists.get(ast.unparse(node.args[0]), set())
    return {word for word in found if re.fullmatch(r"[\w.+-]+", word)
            and not word.startswith("-")}


def modules_in_python(text: str) -> set[str]:
    """Returns the modules that Python code imports, but the standard ones."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names


def in_cpp(text: str) -> set[str]:
    """Returns the programs that C++ code calls through a shell, or execs."""
    found: set[str] = set()
    if re.search(r"\b(popen|system)\(", text):
        # The shape of a command: a word, what timeout is given, an option.
        for words in re.findall(r'"(?:exec )?([a-z][\w+/.]*)'
                                r"(?: \d+ ([a-z]\w*))? -\w+ ", text):
            found |= {word.rpartition("/")[2] for word in words if word}
    for literal in re.findall(r'\bexecl?p?e?\("([^"]+)"', text):
        found.add(literal.removeprefix("/usr").removeprefix("/bin/"))
    return {word for word in found if "/" not in word}


def folders_of_headers(text: str) -> Iterator[str]:
    """Yields <x/> for the includes of a C++ file that name a folder x."""
    for folder in re.findall(r'(?m)^\s*#\s*include\s*["<](\w+)/', text):
        yield f"<{folder}/>"
