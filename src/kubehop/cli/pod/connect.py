"""`kubehop pod connect`: does a connection from the pod arrive, and why not?"""

import click

from kubehop.cli.output import output_option
from kubehop.cli.pod.common import chosen, pod_options
from kubehop.cli.pod.inside import files_of, opened, title
from kubehop.model.errors import UsageError


@click.command("connect")
@click.argument("name")
@click.argument("where", metavar="HOST:PORT")
@click.option("--udp", is_flag=True, help="Send a datagram by UDP, and see what comes back.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.001, 3600),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long each address is waited for.",
)
@output_option("json")
@pod_options
def command(
    name: str,
    where: str,
    udp: bool,
    timeout: float,
    output: str | None,
    namespace: str | None,
    container: str | None,
    source: str | None,
) -> int:
    """Connect from inside of the pod NAME: the name is looked up by glibc's rules with the pod's
    resolv.conf and hosts, then each address is tried, in the order in which a program there gets
    them (RFC 6724). Says how long it took, from which address, and, where it fails, who said no: a
    reset, an ICMP message and its sender, a missing route, or nobody. Needs nothing in the image.

    Exit code: 0 if an address was reached (UDP: answered), 1 if none, 2 for a problem.

    \b
    Examples:
      kubehop pod connect cart web:80
      kubehop pod connect shop/cart '[fd00:10:43::a]:443' --timeout 2
      kubehop pod connect cart 10.43.0.10:53 --udp
    """
    from kubehop.cli.pod.connecting import connected, text
    from kubehop.sandbox.enter import go_inside

    host, port = _split(where)
    pod = chosen(name, namespace, container, source)
    there = opened(pod)
    found = connected(host, port, udp, timeout, lambda: files_of(pod), lambda: go_inside(there))
    if output:
        from kubehop.cli.output import emit
        from kubehop.cli.pod.connecting import json_value

        emit(json_value(title(pod), found), output)
    else:
        click.echo(text(title(pod), found))
    return 0 if any(answer.reached for answer in found.answers) else 1


def _split(where: str) -> tuple[str, int]:
    """`web:80`, `10.0.0.1:80`, `[fd00::1]:80`; raises UsageError."""
    host, colon, port = where.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    fits = port.isascii() and port.isdecimal() and 0 < int(port) < 65536
    if not colon or not bare or not fits or (":" in bare and bare == host):
        raise UsageError(f"{where!r} is not HOST:PORT, with an address of IPv6 in brackets")
    return bare, int(port)
