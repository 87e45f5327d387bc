"""From a Corefile's text to server blocks, or the error that CoreDNS would report."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kubehop.dns.corefile.blocks import BlockParser, RawBlock
from kubehop.dns.corefile.dispenser import Dispenser
from kubehop.dns.corefile.plugins import others
from kubehop.dns.corefile.plugins.others import Simple
from kubehop.dns.corefile.registry import ORDER, parser
from kubehop.dns.corefile.setup import Setup
from kubehop.dns.corefile.tokens import Token
from kubehop.dns.corefile.values import Corefile, Key, Plugin, ServerBlock
from kubehop.dns.corefile.zones import MAX_ZONES, PORTS, is_domain_name, split_zone, transport
from kubehop.model.errors import InputError

DIRECTIVES = frozenset(ORDER)
PLACEHOLDER = re.compile(r"__PILLAR__\w+__")
"""What node-local-dns's manifest has in the places of addresses and of the cluster domain."""
EMPTY = ".:53 {\nwhoami\nlog\n}\n"
"""What CoreDNS runs for a Corefile without a server block."""


@dataclass(slots=True)
class _Draft:
    raw: RawBlock
    keys: tuple[Key, ...]
    plugins: list[Plugin] = field(default_factory=list)


def parse(
    text: str,
    name: str = "Corefile",
    *,
    files: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Corefile:
    """The Corefile that `text` writes.

    `name` is the file's, for errors. `files` are the texts of files that it may refer to, by
    the name it uses: `/etc/resolv.conf`, `/etc/hosts`, what it imports. `environment` holds
    the variables. Raises InputError, worded as CoreDNS does: "Corefile:7 - Error during
    parsing: Unknown directive 'foo'".
    """
    files = files or {}
    reader = BlockParser(text, name, DIRECTIVES, files, environment or {})
    raw = reader.blocks()
    _no_placeholders(raw, name)
    if not raw:
        raw = BlockParser(EMPTY, name, DIRECTIVES, {}, {}).blocks()
    drafts = [_Draft(block, _keys(block, name)) for block in raw]
    # CoreDNS sets up one plugin in all blocks before the next: the first error is the same.
    for plugin in ORDER:
        for draft in drafts:
            if plugin in draft.raw.directives:
                draft.plugins += _set_up(plugin, draft, name, files)
    blocks = tuple(_block(draft) for draft in drafts)
    _no_overlap(blocks, name)
    absent = (f"import: no file matches {pattern}" for pattern in reader.absent)
    return Corefile(blocks, tuple(dict.fromkeys((*absent, *_notes(blocks)))))


def _no_placeholders(blocks: Iterable[RawBlock], name: str) -> None:
    """Raises InputError for what a manifest leaves open: CoreDNS would take it for a name."""
    for block in blocks:
        words = (token for directive in block.directives.values() for token in directive)
        for token in (*(Token(key, block.line) for key in block.keys), *words):
            if match := PLACEHOLDER.search(token.text):
                problem = f"{match[0]} is a placeholder: it is filled in before CoreDNS starts"
                raise InputError(problem, field=f"{token.file or name}:{token.line}")


def _keys(block: RawBlock, name: str) -> tuple[Key, ...]:
    """What the keys of a block stand for; a CIDR may be several reverse zones."""
    found = []
    for text in block.keys:
        kind, rest = transport(text)
        try:
            zones, port = split_zone(rest)
            if bad := next((zone for zone in zones if not is_domain_name(zone)), None):
                raise InputError(f"zone is not a valid domain name: {bad}")
        except InputError as error:
            problem = f"error inspecting server blocks: {error.problem}"
            raise InputError(problem, field=f"{name}:{block.line}") from None
        number = PORTS.get(kind, 53) if port is None else port
        if not 0 < number < 65536:
            problem = f"address tcp/{number}: invalid port"
            raise InputError(problem, field=f"{name}:{block.line}")
        found += [Key(zone, number, kind) for zone in zones]
        if len(found) > MAX_ZONES:
            raise InputError(f"more than {MAX_ZONES} zones", field=f"{name}:{block.line}")
    return tuple(found)


def _set_up(plugin: str, draft: _Draft, name: str, files: Mapping[str, str]) -> Iterable[Plugin]:
    words = Dispenser(name, draft.raw.directives[plugin])
    zones = tuple(key.zone for key in draft.keys)
    try:
        return parser(plugin)(Setup(plugin, words, zones, files))
    except InputError as error:
        problem = f"plugin/{plugin}: {error.problem}"
        # Some of CoreDNS's errors do not say where: a user wants to know.
        placed = " - Error during parsing: " in problem or " - Syntax error: " in problem
        place = "" if placed else f"{words.file}:{words.line or words.tokens[0].line}"
        raise InputError(problem, field=place) from None


def _block(draft: _Draft) -> ServerBlock:
    listen = tuple(
        address
        for plugin in draft.plugins
        if plugin.name == "bind" and isinstance(plugin, Simple)
        for address in others.bound(plugin)
    )
    return ServerBlock(draft.keys, tuple(draft.plugins), listen, draft.raw.line)


def _no_overlap(blocks: tuple[ServerBlock, ...], name: str) -> None:
    """Raises InputError if two blocks answer for one zone at one address and port."""
    seen: dict[Key, set[str]] = {}
    for block in blocks:
        if any(plugin.name == "view" for plugin in block.plugins):
            continue
        for key in block.keys:
            bound = seen.setdefault(key, set())
            for address in block.listen or ("",):
                problem = _overlap(key, address, bound)
                if problem:
                    raise InputError(f"cannot serve {problem}", field=f"{name}:{block.line}")
                bound.add(address)


def _overlap(key: Key, address: str, bound: set[str]) -> str:
    this = f"{key} on {address}" if address else str(key)
    if address in bound:
        return f"{this} - it is already defined"
    if bound and (not address or "" in bound):
        other = f"{key} on {min(bound)}" if not address else str(key)
        return f"{this} - zone overlap listener capacity with {other}"
    return ""


def _notes(blocks: tuple[ServerBlock, ...]) -> Iterable[str]:
    return (note for block in blocks for plugin in block.plugins for note in plugin.notes)
