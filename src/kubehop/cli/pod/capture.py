"""`kubehop pod capture`: a pod's packets, to a pcap file or one a line."""

import os
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from typing import BinaryIO

import click

from kubehop.cli.pod.common import chosen, pod_options
from kubehop.cli.pod.inside import opened
from kubehop.model.errors import UsageError, printable
from kubehop.sandbox.capture.expression import GRAMMAR
from kubehop.sandbox.capture.pcap import SNAPLEN, Packet, file_header, record


@click.command("capture")
@click.argument("name")
@click.option("-w", "--write", "path", metavar="FILE|-", help="Write a pcap file. Default: text.")
@click.option(
    "-i",
    "--interface",
    default="any",
    show_default=True,
    metavar="NAME|any",
    help="One of the pod's interfaces.",
)
@click.option("--count", type=click.IntRange(1), metavar="N", help="End after so many packets.")
@click.option("--seconds", type=click.FloatRange(0), metavar="S", help="End after so long.")
@click.option("--filter", "expression", default="", metavar="WORDS", help=f"{GRAMMAR}.")
@click.option(
    "--snaplen",
    type=click.IntRange(1, SNAPLEN),
    default=SNAPLEN,
    show_default=True,
    metavar="N",
    help="Octets of each packet that are kept.",
)
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@pod_options
def command(
    name: str,
    path: str | None,
    interface: str,
    count: int | None,
    seconds: float | None,
    expression: str,
    snaplen: int,
    force: bool,
    namespace: str | None,
    container: str | None,
    source: str | None,
) -> int:
    """See the packets of the pod NAME from inside of its network, until Ctrl-C: one a line, or
    in a file for tcpdump and Wireshark. Needs nothing in the image and no tcpdump here.

    The file is new; an old one is overwritten with --force only, a symbolic link never.

    \b
    Examples:
      kubehop pod capture cart
      kubehop pod capture shop/cart -i eth0 -w cart.pcap --filter 'udp and port 53'
      kubehop pod capture cart --count 10 -w - | tcpdump -r -
    """
    from kubehop.sandbox.capture.expression import program
    from kubehop.sandbox.capture.packets import tap
    from kubehop.sandbox.capture.run import capture, signalled
    from kubehop.sandbox.enter import go_inside

    filter = program(expression, snaplen)
    there = opened(chosen(name, namespace, container, source))
    ended = None
    if there.pid is not None:
        with suppress(OSError):
            ended = os.pidfd_open(there.pid)
    go_inside(there)
    taps = tap(interface, filter, snaplen)
    with closing(taps), signalled() as stop:
        file = _file(path, force) if path else None
        take, flush = _writer(file, taps.link, snaplen) if file else _lines(taps.link)
        click.echo(f"capturing on {printable(interface)}", err=True)
        done = capture(taps, take, flush, count, seconds, stop, ended)
    if done.why:
        click.echo(f"note: {printable(done.why)}", err=True)
    click.echo(f"{done.packets} packets captured, {done.dropped} dropped by the kernel", err=True)
    return 0


def _file(path: str, force: bool) -> BinaryIO:
    """A new file, for nobody else to read: packets hold secrets."""
    if path == "-":
        if sys.stdout.isatty():
            raise UsageError("-w -: a terminal is no place for a pcap file")
        return sys.stdout.buffer
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        fd = os.open(path, flags | (os.O_TRUNC if force else os.O_EXCL), 0o600)
    except FileExistsError as error:
        raise UsageError(f"{path} exists; --force overwrites it") from error
    except OSError as error:
        why = "is a symbolic link" if os.path.islink(path) else error.strerror
        raise UsageError(f"{path}: {why}") from error
    return open(fd, "wb", buffering=1 << 16)


_Take = tuple[Callable[[Packet], object], Callable[[], None]]


def _writer(file: BinaryIO, link: int, snaplen: int) -> _Take:
    file.write(file_header(link, snaplen))
    file.flush()
    return lambda packet: file.write(record(packet, link, snaplen)), file.flush


def _lines(link: int) -> _Take:
    from kubehop.sandbox.capture.summary import line

    write = sys.stdout.write
    return lambda packet: write(f"{printable(line(packet, link))}\n"), sys.stdout.flush
