"""From words to server blocks: keys, and the words of each directive; imports and variables.

Source: `caddyfile/parse.go` of coredns/caddy. Files and the environment are passed in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kubehop.dns.corefile.dispenser import Dispenser
from kubehop.dns.corefile.tokens import Token, tokens

MAX_TOKENS = 100_000
MAX_IMPORTS = 10_000
MAX_REPLACED = 100


@dataclass(slots=True)
class RawBlock:
    """A server block: its keys as written, and the words of every directive by its name."""

    line: int = 0
    keys: list[str] = field(default_factory=list)
    directives: dict[str, list[Token]] = field(default_factory=dict)


class BlockParser:
    """Parses one Corefile; `blocks` may be called once. Raises InputError.

    `files` are the texts that `import` may name, by absolute or relative name; `environment`
    is what `{$NAME}` and `{%NAME%}` stand for, nothing if it is not there. `absent` collects
    the patterns that matched no file.
    """

    def __init__(
        self,
        text: str,
        name: str,
        directives: frozenset[str],
        files: Mapping[str, str],
        environment: Mapping[str, str],
    ) -> None:
        self._at = Dispenser(name, list(tokens(text)))
        self._known = directives
        self._files = files
        self._environment = environment
        self._snippets: dict[str, list[Token]] = {}
        self._imports = 0
        self.absent: list[str] = []

    def blocks(self) -> list[RawBlock]:
        """The server blocks in order, without snippets."""
        found = []
        while self._at.next():
            block = RawBlock(self._at.line)
            at_end = self._keys(block)
            snippet = _snippet_name(block.keys)
            if at_end:
                found += [block] if block.keys else []
                break
            if snippet is not None:
                self._define(snippet)
                continue
            self._contents(block)
            if block.keys:
                found.append(block)
        return found

    def _keys(self, block: RawBlock) -> bool:
        """Read the keys; True if the file ends with them."""
        at, more = self._at, False
        while True:
            word = self._replaced(at.value)
            if word == "import" and at.at_line_start:
                self._import()
                if not at.next():
                    return True
                continue
            if word == "{":
                if more:
                    at.error(f"Expected another address but had '{word}' - check for extra comma")
                return False
            if word:
                more = word.endswith(",")
                block.keys.append(word.removesuffix(","))
            if not at.next():
                if more:
                    at.ends()
                return True
            if not more and at.at_line_start:
                return False

    def _contents(self, block: RawBlock) -> None:
        """The directives; a file of one server block needs no braces."""
        at = self._at
        braced = at.value == "{"
        if not braced:
            at.cursor -= 1
        while at.next():
            if at.value == "}":
                break
            if at.value == "import":
                self._import()
                continue
            self._directive(block)
        if braced and at.value != "}":
            at.unexpected("}")

    def _directive(self, block: RawBlock) -> None:
        at, nesting = self._at, 0
        name = self._replaced(at.value)
        if name not in self._known:
            at.error(f"Unknown directive '{name}'")
        words = block.directives.setdefault(name, [])
        words.append(at.tokens[at.cursor])
        while at.next():
            if at.value == "{":
                nesting += 1
            elif at.at_line_start and nesting == 0:
                at.cursor -= 1
                break
            elif at.value == "}":
                if nesting == 0:
                    at.error("Unexpected '}' because no matching opening brace")
                nesting -= 1
            elif at.value == "import" and at.at_line_start:
                self._import()
                continue
            token = at.tokens[at.cursor]
            words.append(token._replace(text=self._replaced(token.text)))
        if nesting:
            at.ends()

    def _define(self, name: str) -> None:
        """Keep the words of a snippet for later imports."""
        at = self._at
        if name in self._snippets:
            at.error(f"redeclaration of previously declared snippet {name}")
        if at.value != "{":
            at.unexpected("{")
        depth = 1
        words: list[Token] = []
        while at.next():
            depth += {"{": 1, "}": -1}.get(at.value, 0)
            if depth == 0:
                self._snippets[name] = words
                return
            words.append(at.tokens[at.cursor])
        at.unexpected("}")

    def _import(self) -> None:
        """Put what is imported in the place of the statement, the cursor in front of it."""
        at = self._at
        if not at.next_argument():
            at.wrong_arguments()
        pattern = self._replaced(at.value)
        if not pattern:
            at.error("Import requires a non-empty filepath")
        if at.next_argument():
            at.error("Import takes only one argument (glob pattern or file)")
        self._imports += 1
        words = self._snippets.get(pattern)
        words = self._imported(pattern) if words is None else words
        if self._imports > MAX_IMPORTS or len(at.tokens) + len(words) > MAX_TOKENS:
            at.error(f"maximum snippet import depth ({MAX_IMPORTS}) exceeded")
        at.tokens[at.cursor - 1 : at.cursor + 1] = words
        at.cursor -= 2

    def _imported(self, pattern: str) -> list[Token]:
        """The words of the files that `pattern` names; one that matches none is an error."""
        folder = self._at.file.rpartition("/")[0]
        full = pattern if pattern.startswith("/") or not folder else f"{folder}/{pattern}"
        if full.count("*") > 1 or full.count("?") > 1 or ("[" in full and "]" in full):
            problem = "Glob pattern may only contain one wildcard (*), but has others"
            self._at.error(f"{problem}: {full}")
        wanted = re.compile("|".join({_glob(pattern), _glob(full)}))
        names = [name for name in sorted(self._files) if wanted.fullmatch(name)]
        if not names and not set(full) & set("*?[]"):
            self._at.error(f"File to import not found: {pattern}")
        if not names:
            self.absent.append(pattern)
        return [token for name in names for token in tokens(self._files[name], name)]

    def _replaced(self, word: str) -> str:
        """`word` with its variables replaced, Windows' form first."""
        for start, end in (("{%", "%}"), ("{$", "}")):
            word = self._replace(word, start, end)
        return word

    def _replace(self, word: str, start: str, end: str) -> str:
        # A variable may hold a reference to another, or to itself.
        for _ in range(MAX_REPLACED):
            opens = word.find(start)
            closes = word.find(end, opens)
            if opens < 0 or closes <= opens + len(start):
                break
            name = word[opens + len(start) : closes]
            word = word.replace(f"{start}{name}{end}", self._environment.get(name, ""))
            if len(word) > MAX_TOKENS:
                self._at.error(f"variable {name} is too long")
        return word


def _snippet_name(keys: list[str]) -> str | None:
    """The name in `(name) {`, None for a server block."""
    is_snippet = len(keys) == 1 and keys[0].startswith("(") and keys[0].endswith(")")
    return keys[0][1:].removesuffix(")") if is_snippet else None


def _glob(pattern: str) -> str:
    """A regular expression for what `filepath.Match` matches with `*` and `?`."""
    return re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
