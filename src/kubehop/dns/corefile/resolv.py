"""resolv.conf as CoreDNS reads it, for `forward`, `autopath` and `kubernetes`.

Source: `clientconfig.go` of miekg/dns.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """Its servers as written, and its search domains: those of the last line that names any."""

    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()


def client_config(text: str) -> ClientConfig:
    """The servers and the search domains of a resolv.conf."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    for line in text.splitlines():
        words = [] if line[:1] in ("#", ";") else line.split()
        match words[:1]:
            case ["nameserver"] if len(words) > 1:
                servers.append(words[1])
            case ["domain"] if len(words) > 1:
                search = (words[1],)
            case ["search"]:
                search = tuple(words[1:])
    return ClientConfig(tuple(servers), search)
