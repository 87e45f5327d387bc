"""What a resolver takes out of resolv.conf, and what it leaves out and why."""

import enum
from collections.abc import Callable
from dataclasses import dataclass


class Option(enum.StrEnum):
    """Options without a value that some resolver obeys (resolv.conf(5))."""

    ROTATE = "rotate"
    EDNS0 = "edns0"
    SINGLE_REQUEST = "single-request"
    SINGLE_REQUEST_REOPEN = "single-request-reopen"
    USE_VC = "use-vc"
    NO_TLD_QUERY = "no-tld-query"
    NO_AAAA = "no-aaaa"
    TRUST_AD = "trust-ad"
    NO_RELOAD = "no-reload"


@dataclass(frozen=True, slots=True)
class Note:
    """What was ignored or changed: `line` counted from 1, 0 for the whole file."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


@dataclass(frozen=True, slots=True)
class ResolvConf:
    """The configuration that one resolver makes of a file.

    `nameservers` and `search` in the order of use, limits applied; a name of the search list is
    spelt as in the file. `timeout` in seconds and `attempts` mean what that resolver makes of
    them. `first` is the nameserver that a rotation begins with: glibc draws it by chance, no file
    says it. `unusable` says why the program refuses to start with this file, "" if it does not.
    """

    nameservers: tuple[str, ...]
    search: tuple[str, ...] = ()
    ndots: int = 1
    timeout: int = 5
    attempts: int = 2
    options: frozenset[Option] = frozenset()
    notes: tuple[Note, ...] = ()
    unusable: str = ""
    first: int = 0

    def has(self, option: Option) -> bool:
        return option in self.options


Parser = Callable[[str, str], ResolvConf]
"""(text of the file, the pod's hostname) -> what a resolver takes out of it; never raises.

The hostname matters where the file has no search list: what follows its first dot is used.
"""
