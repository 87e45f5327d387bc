"""Whether an answer fits the buffer that glibc's caller brought (`nss_dns/dns-host.c`, 2.36).

getaddrinfo() begins with 1024 octets on its stack and doubles them; each time the whole lookup is
sent again. 60 addresses cost three lookups, 400 cost five.
"""

from collections.abc import Callable

from kubehop.dns.message import Reply

ROOM = 1024
"""The first buffer, in octets (struct scratch_buffer, BUFLEN)."""
TUPLE = 40
"""struct gaih_addrtuple on a 64-bit machine."""
ALIASES, POINTER = 48 * 8 + 16, 8
"""struct host_data: 48 aliases and an address; a pointer for each address follows."""

Fits = Callable[[tuple[Reply, ...], int], bool]
"""(the replies of a lookup, octets) -> whether the answer fits."""


def fits_list(replies: tuple[Reply, ...], room: int) -> bool:
    """getaddrinfo() with AF_UNSPEC: a list of tuples, and the name once."""
    used, named = 0, False
    for reply in replies:
        for record in reply.answer:
            name = len(record.name)
            if used + name > room:
                return False
            if record.type == "CNAME":
                used += 0 if named else len(record.data)
            elif record.type in ("A", "AAAA"):
                if not named:
                    used += name
                named = True
                used = -(-used // 8) * 8 + TUPLE
            if used > room:
                return False
    return True


def fits_hostent(replies: tuple[Reply, ...], room: int) -> bool:
    """gethostbyname(): pointers for all records first, then names and addresses."""
    for reply in replies:
        records = reply.answer
        used = ALIASES + (len(records) + 1) * POINTER
        found = 0
        for record in records:
            used += len(record.name) if not found else 0
            if used + len(record.name) > room:
                return False
            if record.type == "CNAME":
                used += len(record.name) + len(record.data)
            elif record.type in ("A", "AAAA"):
                used += (len(record.name) if not found else 0) + (16 if record.type != "A" else 4)
                found += 1
            if used > room:
                return False
    return True
