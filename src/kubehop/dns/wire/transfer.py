"""Zone transfers over TCP (RFC 5936 2.2): as many messages as the records need."""

from collections.abc import Iterator
from dataclasses import replace

from kubehop.dns.message import Reply
from kubehop.dns.wire import header
from kubehop.dns.wire.compiled import compiled


def parts(name: str, fixed: bytes, reply: Reply) -> Iterator[bytes]:
    """The compiled answers that together hold the records of `reply`; raises WireError."""
    while True:
        answer = compiled(name, fixed, reply)
        kept = int.from_bytes(answer[4:6], "big")
        if kept == len(reply.answer) or not kept:
            yield answer
            return
        flags = int.from_bytes(answer[:2], "big") & ~header.TC
        yield flags.to_bytes(2, "big") + answer[2:]
        reply = replace(reply, answer=reply.answer[kept:])
