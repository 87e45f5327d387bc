"""`kubehop nslookup`: really ask, by a resolver's rules, and print what nslookup prints."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kubehop.cli.common import cluster_from, cluster_options, namespace_of
from kubehop.cli.dns_options import dns_settings, file_options
from kubehop.cli.servers import finder, pointed
from kubehop.model.errors import InputError, UsageError, printable

if TYPE_CHECKING:
    from kubehop.dns.lookup.drive import Step
    from kubehop.trace.lookups import Files

RESOLV_CONF = "/etc/resolv.conf"
DEFAULT_STYLE = "nslookup"


@click.command("nslookup")
@click.argument("name")
@click.option(
    "--server",
    metavar="ADDR[:PORT]",
    help="Who is asked. Default: the nameservers of the resolv.conf that is used.",
)
@click.option(
    "--from",
    "origin",
    metavar="pod/NAME|node/NAME",
    help="Whose resolv.conf and hosts count. Default: this host's.",
)
@click.option(
    "--style",
    default=DEFAULT_STYLE,
    show_default=True,
    metavar="NAME",
    help="Which nslookup: nslookup (BIND's), busybox-1.28, busybox-1.28-musl, busybox-1.29, "
    "busybox-1.30, busybox.",
)
@file_options
@cluster_options
def command(name: str, server: str | None, origin: str | None, style: str, **options: Any) -> int:
    """Really ask for NAME, by the rules of the chosen nslookup, and print what it prints.

    Queries are sent from this host. With --from, the files are those that the kubelet writes
    for that pod: search list and ndots as the pod has them.

    Exit code: that of the chosen program; 2 for a problem.

    \b
    Examples:
      kubehop nslookup kubernetes.default --server 10.43.0.10 --from pod/busybox
      kubehop nslookup whoami --server 127.0.0.1:1053 --from pod/busybox --style busybox-1.28
      kubehop nslookup example.com
    """
    return look_up(name, _files(origin, options), server, style)


def look_up(
    name: str,
    files: "Files",
    server: str | None,
    style: str,
    go: Callable[[], None] = lambda: None,
    listed: bool = False,
) -> int:
    """Ask for a name with these files and print it; the exit code.

    `go` is called before the first query is sent. `listed`: each query on standard error.
    """
    from kubehop.dns.lookup.resolvers import RESOLVERS
    from kubehop.dns.names import in_ascii
    from kubehop.dns.resolv import hosts as hosts_file
    from kubehop.dnsclient.live import ask
    from kubehop.render.nslookup import FORMS, Asked

    if style not in FORMS:
        raise UsageError(f"no style {style!r}; there is: {', '.join(FORMS)}")
    name, find = in_ascii(name), finder(server)
    resolver = RESOLVERS[style]
    conf = pointed(resolver.parse(files.resolv_conf, files.hostname), server)
    hosts = hosts_file.parse(files.hosts)
    go()
    lookup = ask(resolver.start(name, conf, hosts), find)
    printed = FORMS[style](
        Asked(name, conf.nameservers, hosts, find(name)[1], server or ""), lookup
    )
    click.echo(printed.out, nl=False)
    click.echo(printed.err, nl=False, err=True)
    for step in lookup.steps if listed else ():
        click.echo(_told(step), err=True)
    return lookup.outcome.exit or 0


def _told(step: "Step") -> str:
    """`0.000 web.shop.svc.cluster.local. A to 10.43.0.10 (udp): NXDOMAIN; first of the list`."""
    from kubehop.dns.message import Reply

    query, result = step.query, step.result
    came = result.kind.value if isinstance(result, Reply) else result.value
    asked = f"{query.question.name} {query.question.type} to {query.server}"
    return printable(f"{step.at:.3f} {asked} ({query.transport.value}): {came}; {query.why}")


def _files(origin: str | None, options: dict[str, Any]) -> "Files":
    """The files of the pod or node that is named, else of this host."""
    from kubehop.trace.lookups import Files, Names
    from kubehop.trace.questions import parse_origin

    if origin is None:
        if options["files"]:
            raise UsageError("-f goes with --from: it tells the files of a pod or node")
        return Files(_own(RESOLV_CONF), _own("/etc/hosts"))
    settings, cluster = dns_settings(options), cluster_from(options)
    namespace = namespace_of(options)
    start = parse_origin(cluster, origin, namespace)
    return Names(cluster, settings).files(start, namespace)


def _own(path: str) -> str:
    """A file of this host; one that is not there is empty, as resolvers see it."""
    try:
        return Path(path).read_text(errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path) from error
