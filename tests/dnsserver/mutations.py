"""Damaged packets against a running server: `python -m tests.dnsserver.mutations 1000000`.

Valid queries go between them, and each must get its answer; what the damaged ones get does not
matter, as long as it is a reply or nothing.
"""

import random
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterator

import dns.edns
import dns.message

from kubehop.dnsserver import Server
from tests.dnsserver.chains import LOOPBACK, Names, framed

BURST = 50
"""Damaged packets before the next valid query: the socket buffers hold them all."""
WEB = "web.default.svc.cluster.local."
ADDRESS = bytes((10, 43, 0, 1))

Mutation = Callable[[random.Random, bytearray], None]


def flip(dice: random.Random, packet: bytearray) -> None:
    for _ in range(dice.randint(1, 8)):
        packet[dice.randrange(len(packet))] ^= 1 << dice.randrange(8)


def cut(dice: random.Random, packet: bytearray) -> None:
    del packet[dice.randrange(len(packet)) :]


def insert(dice: random.Random, packet: bytearray) -> None:
    at = dice.randrange(len(packet) + 1)
    packet[at:at] = dice.randbytes(dice.randint(1, 20))


def repeat(dice: random.Random, packet: bytearray) -> None:
    packet += packet[12:] * dice.randint(1, 5)


def point(dice: random.Random, packet: bytearray) -> None:
    """A compression pointer, often into the name that it is part of."""
    at = dice.randrange(min(12, len(packet)), len(packet) + 1)
    packet[at : at + 2] = bytes((0xC0 | dice.choice((0, 0, 0, 63)), dice.randrange(64)))


def count(dice: random.Random, packet: bytearray) -> None:
    """Other counts than there are records."""
    at = dice.randrange(4, 12)
    packet[at : at + 1] = bytes((dice.choice((0, 1, 2, 255)),))


def fill(dice: random.Random, packet: bytearray) -> None:
    packet[min(12, len(packet)) :] = bytes((dice.randrange(256),)) * dice.randint(1, 600)


def replace(dice: random.Random, packet: bytearray) -> None:
    packet[:] = dice.randbytes(dice.randint(0, 120))


MUTATIONS: tuple[Mutation, ...] = (flip, cut, insert, repeat, point, count, fill, replace)


def seeds() -> list[bytes]:
    """Valid queries of many kinds."""
    cookie: list[dns.edns.Option] = [
        dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678")
    ]
    found = [
        dns.message.make_query(
            name, type, use_edns=edns, payload=1232, options=options, id=7
        ).to_wire()
        for name in (WEB, "no.cluster.local.", ".", "a." * 120 + "cluster.local.")
        for type in ("A", "AAAA", "SRV", "ANY", "AXFR", "TYPE65280")
        for edns, options in ((False, None), (0, None), (0, cookie))
    ]
    return found + [
        dns.message.make_response(dns.message.from_wire(f)).to_wire() for f in found[:3]
    ]


def mutated(count: int, seed: int) -> Iterator[bytes]:
    """Damaged packets, the same for the same seed."""
    dice, whole = random.Random(seed), seeds()
    for _ in range(count):
        packet = bytearray(dice.choice(whole))
        for mutation in dice.choices(MUTATIONS, k=dice.choice((1, 1, 2, 3))):
            if packet:
                mutation(dice, packet)
        yield bytes(packet)


class Attack:
    """A client that sends damaged packets, and one that wants answers all the while."""

    def __init__(self, port: int) -> None:
        self.asked = self.answered = 0
        self._bad = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._good = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for sock in (self._bad, self._good):
            sock.connect(("127.0.0.1", port))
        self._good.settimeout(5)
        self._port = port

    def run(self, packets: Iterator[bytes]) -> None:
        """Send all packets over UDP, and each hundredth over TCP as well."""
        for number, packet in enumerate(packets):
            self._bad.send(packet)
            if number % BURST == 0:
                self._ask(number)
            if number % (100 * BURST) == 0:
                self._over_tcp(packet)
        self._ask(0)

    def close(self) -> None:
        self._bad.close()
        self._good.close()

    def _ask(self, number: int) -> None:
        """One valid query: from the table, or with a spelling that it has not seen."""
        name = WEB if number % 3 else f"{WEB[:4].upper()}{WEB[4:]}"
        query = dns.message.make_query(name, "A", use_edns=0 if number % 2 else False)
        self.asked += 1
        self._good.send(query.to_wire())
        reply = self._good.recv(65535)
        if reply[:2] == query.to_wire()[:2] and ADDRESS in reply:
            self.answered += 1

    def _over_tcp(self, packet: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self._port), timeout=5) as sock:
            query = dns.message.make_query(WEB, "A").to_wire()
            sock.sendall(framed(packet) + framed(query))
            self.asked += 1
            seen = b""
            while query[:2] not in seen or ADDRESS not in seen:
                more = sock.recv(65535)
                if not more:
                    return
                seen += more
            self.answered += 1


def attack(count: int, seed: int) -> Attack:
    """Send `count` damaged packets to a server; what of the valid queries was answered."""
    with Server(Names({WEB: ["10.43.0.1"]}), [LOOPBACK]) as server:
        attack = Attack(server.ports[0])
        try:
            attack.run(mutated(count, seed))
        finally:
            attack.close()
    return attack


def main(count: int) -> int:
    started = time.monotonic()
    found = attack(count, seed=count)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        f"{count} damaged packets in {time.monotonic() - started:.0f} s:"
        f" {found.answered} of {found.asked} valid queries answered, {memory:.0f} MB at most"
    )
    return found.answered != found.asked


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
