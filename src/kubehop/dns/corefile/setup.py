"""What a plugin's parser is given: the words of its directive, and what they may refer to."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kubehop.dns.corefile.dispenser import Dispenser
from kubehop.dns.corefile.values import Plugin
from kubehop.model.errors import InputError


@dataclass(frozen=True, slots=True)
class Setup:
    """All occurrences of one directive in one server block.

    `zones` are the block's; `files` the texts that a plugin may name: resolv.conf, hosts.
    """

    name: str
    words: Dispenser
    zones: tuple[str, ...]
    files: Mapping[str, str]


Parser = Callable[[Setup], tuple[Plugin, ...]]
"""Reads a directive; raises InputError in CoreDNS's words."""


def options(words: Dispenser) -> Iterator[str]:
    """The first word of every line of the block; the caller loads the rest of the line."""
    while words.next_block():
        yield words.value


def last(words: Dispenser) -> None:
    """Raises InputError if the directive stands in the block a second time."""
    if words.next():
        raise InputError("this plugin can only be used once per Server Block")
