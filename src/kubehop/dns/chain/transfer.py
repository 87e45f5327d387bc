"""`transfer`: a whole zone over TCP. Source: `plugin/transfer/transfer.go`."""

from kubehop.dns.chain.handler import Rest, Settles
from kubehop.dns.chain.values import Answer, Asked, Serve, Unwritten
from kubehop.dns.corefile.plugins.others import Transfer
from kubehop.dns.corefile.zones import matched, split_address
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dns.names import folded
from kubehop.dns.zone import KubernetesZone, transfer

TYPES = ("AXFR", "IXFR")


class TransferHandler:
    """Gives the zones of the block's kubernetes plugin to who may have them."""

    __slots__ = ("transfers", "zone")

    def __init__(self, transfers: tuple[Transfer, ...], zone: KubernetesZone | None) -> None:
        self.transfers = transfers
        self.zone = zone

    def serve(self, asked: Asked, now: float, rest: Rest) -> Serve:
        answer = self._answer(asked) if asked.question.type in TYPES else None
        if answer is None:
            return (yield from rest(asked, now))
        return answer

    def _answer(self, asked: Asked) -> Answer | None:
        """None if the next plugin is asked."""
        if asked.transport == "udp":
            return Unwritten(Rcode.REFUSED)
        name = folded(asked.question.name)
        zones = {matched(t.zones, name): t for t in reversed(self.transfers)}
        longest = max(zones, default="")
        if not longest:
            return None
        if not any(_allows(to, asked.client) for to in zones[longest].to):
            return Reply(Rcode.REFUSED)
        if self.zone is None or not self.zone.zone_of(name):
            return None
        serial = asked.serial if asked.question.type == "IXFR" else 0
        records = transfer(self.zone, asked.question.name, serial)
        return Reply(Rcode.NOERROR, records, authoritative=True)

    def settles(self, question: Question, name: str) -> Settles:
        return Settles.VARIES if question.type in TYPES else Settles.PASSES


def _allows(to: str, client: str) -> bool:
    address = split_address(to)
    return to == "*" or (address is not None and address[0] == client)
