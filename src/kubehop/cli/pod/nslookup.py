"""`kubehop pod nslookup`: a lookup as the pod would do it, from inside of its network."""

import click

from kubehop.cli.nslookup import DEFAULT_STYLE, look_up
from kubehop.cli.pod.common import chosen, pod_options
from kubehop.cli.pod.inside import files_of, opened
from kubehop.model.errors import UsageError


@click.command("nslookup")
@click.argument("name")
@click.argument("host")
@click.option(
    "--server",
    metavar="ADDR[:PORT]",
    help="Who is asked. Default: the nameservers of the pod's resolv.conf.",
)
@click.option(
    "--style",
    "--resolver",
    default=DEFAULT_STYLE,
    show_default=True,
    metavar="NAME",
    help="Which nslookup: nslookup (BIND's), busybox-1.28, busybox-1.28-musl, busybox-1.29, "
    "busybox-1.30, busybox.",
)
@click.option("-v", "--trace", is_flag=True, help="List each query, on standard error.")
@pod_options
def command(
    name: str,
    host: str,
    server: str | None,
    style: str,
    trace: bool,
    namespace: str | None,
    container: str | None,
    source: str | None,
) -> int:
    """Really ask for HOST from inside of the pod NAME, with its resolv.conf and hosts, by the
    rules of the chosen nslookup, and print what it prints. Needs nothing in the image.

    Exit code: that of the chosen program; 2 for a problem.

    \b
    Examples:
      kubehop pod nslookup cart kubernetes.default
      kubehop pod nslookup shop/cart example.com --style busybox -v
      kubehop pod nslookup cart web --server 10.42.0.9
    """
    from kubehop.sandbox.enter import go_inside
    from kubehop.trace.lookups import Files

    pod = chosen(name, namespace, container, source)
    files = files_of(pod)
    if files.resolv_conf is None and server is None:
        raise UsageError("the pod's resolv.conf is not known; --server ADDR says whom to ask")
    seen = Files(files.resolv_conf or "", files.hosts or "", files.hostname or "")
    there = opened(pod)
    return look_up(host, seen, server, style, lambda: go_inside(there), trace)
