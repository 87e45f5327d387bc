"""Whether an answer fits the buffer that glibc's caller brought (`nss_dns/dns-host.c`).

getaddrinfo() and gethostbyname() begin with 1024 octets and double them; each time the whole
lookup is sent again. 60 addresses cost getaddrinfo() three lookups, 400 cost five. Sizes of a
64-bit machine, 2.37 and the 2.36 of Debian 12.
"""

from collections.abc import Callable

from kubehop.dns.message import Reply

ROOM = 1024
"""The first buffer, in octets (struct scratch_buffer, BUFLEN)."""
TUPLE, POINTER, WORD = 40, 8, 4
"""struct gaih_addrtuple, a pointer, what an address is aligned to."""

Fits = Callable[[tuple[Reply, ...], int], bool]
"""(the replies of a lookup, octets) -> whether the answer fits."""


def fits_list(replies: tuple[Reply, ...], room: int) -> bool:
    """getaddrinfo() with AF_UNSPEC: a tuple for each address, the name behind the first."""
    names = [r.name for reply in replies for r in reply.answer if r.type in ("A", "AAAA")]
    if not names:
        return True
    name = -(-len(names[0]) // POINTER) * POINTER
    return TUPLE * len(names) + name <= room


def fits_hostent(replies: tuple[Reply, ...], room: int) -> bool:
    """gethostbyname(): names, addresses and, behind them, a pointer to each."""
    for reply in replies:
        aliases = [record.data for record in reply.answer if record.type == "CNAME"]
        count = sum(record.type in ("A", "AAAA") for record in reply.answer)
        first = len(reply.answer[0].name) if reply.answer else 0
        text = -(-(first + sum(map(len, aliases))) // WORD) * WORD
        pointers = POINTER * (count + 1 + len(aliases) + 1)
        if text + count * WORD + pointers > room:
            return False
    return True
