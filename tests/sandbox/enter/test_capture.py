"""What we write is read by tcpdump, and our filters keep what its filters keep."""

import fcntl
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kubehop.lab.kernel import Base
from kubehop.model.errors import UsageError
from kubehop.sandbox.capture import pcap
from kubehop.sandbox.capture.expression import program
from kubehop.sandbox.capture.packets import Taps, tap
from kubehop.sandbox.capture.run import Captured, capture, signalled
from kubehop.sandbox.capture.summary import line
from kubehop.sandbox.namespace import NotAllowedError, inside
from tests.lab.inside import as_everyone, in_lab, run_apart
from tests.real.needs import program as installed
from tests.sandbox.enter.routed import SERVER, Routed, routed
from tests.sandbox.network.making import ip, pod

ALL = program("", pcap.SNAPLEN)
SECONDS = 0.3
TIME = 1_700_000_000_123_456_789
_IP4 = bytes.fromhex("45000021000040004011000a0a2a00080a2b000a c3500035000d0000 68656c6c6f")


def tcpdump(path: Path, *words: str) -> list[str]:
    """What it prints of a file, a line a packet. Fails where it complains."""
    # As nobody in particular: with UID 0 it wants to become another user, which a lab lacks.
    command = [installed("unshare", "util-linux"), "--user", installed("tcpdump", "tcpdump")]
    command += ["-nn", "-tt", "-r", "-", *words]
    with open(path, "rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=True)
    said = [one for one in done.stderr.splitlines() if not one.startswith(("reading", "Warning"))]
    assert said == []
    return [text for text in done.stdout.splitlines() if text[:1].isdigit()]


def written(taps: Taps, path: Path, snaplen: int = pcap.SNAPLEN, **ends: float) -> Captured:
    """Write what has arrived, and what comes until nothing has for a moment."""
    with open(path, "wb") as file:
        file.write(pcap.file_header(taps.link, snaplen))
        return capture(
            taps,
            lambda packet: file.write(pcap.record(packet, taps.link, snaplen)),
            file.flush,
            **({"seconds": SECONDS} | ends),  # type: ignore[arg-type]
        )


def traffic(there: Routed) -> None:
    """Some of everything, from the client."""
    with inside(there.client.namespace):
        for address in SERVER:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                for port in (53, 8080, 2000):
                    with socket.socket(family, kind) as sock:
                        sock.settimeout(1)
                        sock.connect_ex((address, port))
                        if kind == socket.SOCK_DGRAM:
                            sock.send(b"hello")
        big = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with big:
            big.sendto(b"x" * 4000, (SERVER[0], 53))  # in fragments
        ping(SERVER[0])
    there.client.ip("neigh", "flush", "all")
    with inside(there.client.namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"again", ("10.1.0.1", 9))


def ping(address: str) -> None:
    """Ask for an echo; the answer is left to the capture."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.sendto(b"\x08\0" + struct.pack("!HHH", 0xFFFF - 0x0800 - 7 - 1, 7, 1), (address, 0))


def within(span: Sequence[float], lines: list[str]) -> list[str]:
    """Those of that time: what the kernel asks of neighbours on its own comes later, too."""
    return [one for one in lines if span[0] <= float(one.split()[0]) <= span[1]]


EXPRESSIONS = (
    "",
    "tcp",
    "udp",
    "arp",
    "ip",
    "ip6",
    "port 53",
    "tcp and port 8080",
    "udp and port 53 and host 10.2.0.9",
    "host 10.2.0.9",
    "host 10.1.0.1",
    "host fd02::9",
    "host fd01::8 and port 2000",
    "ip and host 10.2.0.9 and tcp",
    "port 8080 and port 53",
    "ip6 and udp",
    "icmp",
)


@as_everyone
@in_lab
def test_filters_are_those_of_tcpdump(base: Base, uid: int | None) -> None:
    """Of the same packets, on one interface and on all of them."""
    with routed() as there:
        for interface in ("eth0", "any"):
            with inside(there.client.namespace):
                every = tap(interface, ALL, pcap.SNAPLEN)
                some = [tap(interface, program(e, pcap.SNAPLEN), 65535) for e in EXPRESSIONS]
            time.sleep(0.1)  # the kernel begins to stamp packets a moment after it is asked to
            span = [time.time()]
            traffic(there)
            whole, path = base.folder / "whole.pcap", base.folder / "some.pcap"
            written(every, whole)
            span.append(time.time())
            counts = []
            for expression, taps in zip(EXPRESSIONS, some, strict=True):
                written(taps, path, seconds=0.0)
                theirs = expression.replace("icmp", "(icmp or icmp6)")
                expected = within(span, tcpdump(whole, *theirs.split()))
                assert within(span, tcpdump(path)) == expected, (interface, expression)
                counts.append(len(expected))
                taps.close()
            every.close()
            told = dict(zip(EXPRESSIONS, counts, strict=True))
            assert [e for e in EXPRESSIONS if not told[e]] == ["port 8080 and port 53"]
            assert len(set(counts)) > 8


@as_everyone
@in_lab
def test_what_tcpdump_reads_is_what_was_sent(base: Base, uid: int | None) -> None:
    path = base.folder / "a.pcap"
    with routed() as there, there.listen():
        with inside(there.client.namespace):
            taps = tap("eth0", program("tcp and port 8080", 200), 200)
            began = time.time()
            with socket.create_connection((SERVER[0], 8080)) as sock:
                sock.sendall(b"x" * 1000)
                here = sock.getsockname()[1]
        done = written(taps, path, 200)
        taps.close()
    lines = tcpdump(path)
    assert done.packets == done.received == len(lines)
    assert f"IP 10.1.0.8.{here} > 10.2.0.9.8080: Flags [S]" in lines[0]
    assert any("length 1000" in one for one in lines)
    assert began - 1 < float(lines[0].split()[0]) < time.time() + 1
    octets = path.read_bytes()
    assert octets[:4] == struct.pack("=I", 0xA1B23C4D)
    assert b"x" * 100 in octets
    assert b"x" * 200 not in octets  # cut at 200 octets, with headers


@as_everyone
@in_lab
def test_loopback_is_seen_once(base: Base, uid: int | None) -> None:
    path = base.folder / "a.pcap"
    for interface in ("any", "lo"):
        with pod() as one, inside(one.namespace):
            taps = tap(interface, program("udp", 300), 300)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(b"one", ("127.0.0.1", 9))
            assert written(taps, path).packets == 1
            taps.close()
        (said,) = tcpdump(path)
        assert "127.0.0.1" in said
        assert said.endswith("UDP, length 3")


@as_everyone
@in_lab
def test_the_tag_of_a_vlan_is_in_the_file(base: Base, uid: int | None) -> None:
    """The kernel takes it off and tells it apart."""
    path = base.folder / "a.pcap"
    with routed() as there:
        for interface in ("eth0", "any"):
            with inside(there.client.namespace):
                taps = tap(interface, program("udp", 65535), 65535)
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
                sock.bind(("host1", 0))
                sock.send(b"\xff" * 6 + b"\2" * 6 + bytes.fromhex("8100 202a 0800") + _IP4)
            written(taps, path)
            taps.close()
            (said,) = tcpdump(path, "-e")
            assert "vlan 42, p 1," in said
            assert "10.42.0.8.50000 > 10.43.0.10.53" in said


def tun(name: str) -> None:
    """An interface of that name in the calling thread's namespace, as long as we live."""
    fd = os.open(_TUN, os.O_RDWR)
    fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1001))  # TUNSETIFF


_TUN = "/dev/net/tun"


@pytest.mark.skipif(not os.access(_TUN, os.R_OK | os.W_OK), reason=f"needs {_TUN}")
@in_lab
def test_an_interface_without_a_link_layer(base: Base) -> None:
    path = base.folder / "a.pcap"
    with routed() as there:
        with inside(there.client.namespace):
            tun("t0")
        there.client.ip("addr", "add", "10.88.0.1/30", "dev", "t0")
        there.client.ip("link", "set", "t0", "up")
        for interface in ("t0", "any"):
            with inside(there.client.namespace):
                taps = tap(interface, program("host 10.88.0.2", 65535), 65535)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                    sock.sendto(b"one", ("10.88.0.2", 9))
            written(taps, path)
            taps.close()
            assert "10.88.0.1" in tcpdump(path)[0]


@as_everyone
@in_lab
def test_what_ends_it(base: Base, uid: int | None) -> None:
    path = base.folder / "a.pcap"
    with routed() as there:
        with inside(there.client.namespace), pytest.raises(UsageError, match="eth0"):
            tap("eth7", ALL, 100)
        with sending(there), inside(there.client.namespace):
            with closing(tap("eth0", ALL, 100)) as taps:
                assert written(taps, path, count=3, seconds=60).packets == 3
            assert len(tcpdump(path)) == 3
            with closing(tap("eth0", ALL, 100)) as taps, signalled() as stop:
                threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
                done = written(taps, path, seconds=60, stop=stop)
            assert done.packets == len(tcpdump(path)) > 0
            assert done.why == ""
        with inside(there.client.namespace):
            taps = tap("eth0", ALL, 100)
        ip("link", "del", "host1")
        assert written(taps, path, seconds=60).why == "interface eth0 is gone"
        taps.close()
        with inside(there.server.namespace):
            taps = tap("any", ALL, 100)
        ended = os.pidfd_open(there.server.pid)
        threading.Timer(0.2, os.kill, (there.server.pid, signal.SIGKILL)).start()
        assert written(taps, path, seconds=60, ended=ended).why == "the pod has ended"


@contextmanager
def sending(there: Routed) -> Iterator[None]:
    """A datagram every 10 ms, from the client."""
    end = threading.Event()
    with inside(there.client.namespace):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def run() -> None:
        while not end.wait(0.01):
            sock.sendto(b"x", (SERVER[0], 9))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
        sock.close()


@in_lab
def test_drops_are_counted(base: Base) -> None:
    with pod() as one, inside(one.namespace), closing(tap("lo", ALL, 65535)) as taps:
        taps.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for _ in range(100):
                sock.sendto(b"x" * 1000, ("127.0.0.1", 9))
        done = written(taps, base.folder / "a.pcap")
    assert done.dropped > 0
    assert done.packets == len(tcpdump(base.folder / "a.pcap"))


@in_lab
def test_it_keeps_up(base: Base) -> None:
    """Thousands a second, with packets of full size."""
    with pod() as one, inside(one.namespace), closing(tap("lo", program("udp", 96), 96)) as taps:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for _ in range(3000):
                sock.sendto(b"x" * 1400, ("127.0.0.1", 9))
        done = written(taps, base.folder / "a.pcap")
    assert (done.packets, done.dropped) == (3000, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become an ordinary user")
def test_an_ordinary_user_is_told_what_is_missing() -> None:
    with pytest.raises(NotAllowedError, match="CAP_NET_RAW"):
        run_apart(lambda: tap("any", ALL, 100), uid=65534)


NONE = (
    *("and", "tcp and", "tcp udp", "port", "port x", "port 65536", "host web", "host", "not tcp"),
    *("port -1", "port ٣", "tcp or udp", "(tcp)", "tcp and and udp", "\x1b[2J"),
)


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        program(text, 100)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def _seen(octets: bytes, protocol: int = 0x0800, **more: object) -> pcap.Packet:
    return pcap.Packet(TIME, octets, len(octets), "eth0", 2, protocol, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("packet", "shown"),
    [
        (_seen(_IP4, kind=4), "eth0 Out 10.42.0.8:50000 > 10.43.0.10:53: UDP, length 5"),
        (_seen(_IP4[:22]), "eth0 In  a packet of 22 octets, cut short"),
        (_seen(b""), "eth0 In  a packet of 0 octets, cut short"),
        (_seen(b"\0" * 60, 0x88CC, kind=2), "eth0 M   EtherType 0x88cc, length 60"),
        (
            _seen(_IP4, tag=(0x8100, 0x202A)),
            "eth0 In  vlan 42 10.42.0.8:50000 > 10.43.0.10:53: UDP",
        ),
        (
            _seen(
                bytes.fromhex("0001080006040001 020000000001 0a2a0008 000000000000 0a2a0001"),
                0x0806,
            ),
            "ARP who-has 10.42.0.1 tell 10.42.0.8",
        ),
    ],
)
def test_a_packet_in_one_line(packet: pcap.Packet, shown: str) -> None:
    assert shown in line(packet, pcap.LINUX_SLL2)


def test_a_line_of_anything() -> None:
    """What was cut anywhere, or is noise, still is one line."""
    import random

    noise = random.Random(7)
    for _ in range(3000):
        octets = bytearray(_IP4 if noise.random() < 0.5 else noise.randbytes(noise.randrange(90)))
        for _ in range(noise.randrange(4)):
            if octets:
                octets[noise.randrange(len(octets))] = noise.randrange(256)
        cut = bytes(octets[: noise.randrange(len(octets) + 1)])
        protocol = noise.choice((0x0800, 0x86DD, 0x0806, 4))
        shown = line(_seen(cut, protocol, kind=noise.randrange(9)), noise.choice((1, 276)))
        assert "\n" not in shown


def test_a_filter_that_no_jump_reaches_across_is_refused() -> None:
    """An instruction jumps 255 others at most."""
    with pytest.raises(UsageError, match="too many terms"):
        program(" and ".join(["host 2001:db8::1"] * 100), 100)
