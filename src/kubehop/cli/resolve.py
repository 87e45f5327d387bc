"""`kubehop resolve`: predict a lookup, query by query."""

from typing import Any

import click

from kubehop.cli.common import (
    cluster_from,
    cluster_options,
    emit,
    namespace_of,
    output_option,
    style,
    warn_ignored,
)
from kubehop.cli.dns_options import dns_options, dns_settings
from kubehop.model.errors import UsageError


@click.command("resolve")
@click.argument("name")
@click.option(
    "--from",
    "origin",
    metavar="pod/NAME[.NS]|node/NAME",
    help="Who asks. Default: any pod of the namespace that sets nothing about DNS.",
)
@click.option(
    "--resolver",
    default="glibc",
    show_default=True,
    metavar="NAME|all",
    help="Who looks the name up, see below; `all` compares them.",
)
@click.option("--live", is_flag=True, help="Really ask, from this host, and compare.")
@click.option(
    "--server",
    metavar="ADDR[:PORT]",
    help="With --live: who is asked instead of the nameservers of the resolv.conf.",
)
@output_option("wide", "json", "yaml", "name")
@dns_options
@cluster_options
def command(
    name: str,
    origin: str | None,
    resolver: str,
    live: bool,
    server: str | None,
    output: str | None,
    **options: Any,
) -> int:
    """Predict what a program's lookup of NAME sends, what comes back and why.

    Every query in its order, its answer with the object responsible, the outcome, how many
    queries and how much waiting it costs, and what would be cheaper. Nothing is sent without
    --live, which sends the same from this host and says where the network differs first.

    Note that ndots counts dots, not characters: with ndots:5 even a name with four dots goes
    through the search list first, unless it ends in a dot.

    \b
    Resolvers
      glibc, glibc-ipv4, glibc-gethostbyname
      musl, musl-1.2.4, musl-1.2.1, musl-1.1.13
      go, go-ipv4, c-ares, c-ares-1.18
      node, node-resolve, java, python, dnspython
      busybox-1.28, busybox-1.28-musl, busybox-1.29, busybox-1.30, busybox, busybox-type-a
      dig, dig+search, host, nslookup

    Exit code: 0 if the name is found (by all resolvers), 1 if not, 2 for a problem.

    \b
    Examples:
      kubehop resolve whoami --from pod/busybox
      kubehop resolve example.com --from pod/web.shop --resolver all
      kubehop resolve kubernetes.default --from pod/busybox --resolver busybox
      kubehop resolve whoami --from pod/busybox --live --server 10.43.0.10
      kubehop resolve db.corp --from node/node-1 --host db.corp=10.9.9.9 -o json
    """
    from kubehop.dns.lookup.protocol import Status
    from kubehop.dns.lookup.resolvers import RESOLVERS
    from kubehop.trace.lookups import Names, resolver_named
    from kubehop.trace.questions import parse_origin

    chosen = tuple(RESOLVERS.values()) if resolver == "all" else (resolver_named(resolver),)
    settings = dns_settings(options)
    cluster, namespace = cluster_from(options), namespace_of(options)
    start = parse_origin(cluster, origin, namespace) if origin else None
    names = Names(cluster, settings)
    found = tuple(names.lookup(name, start, one, namespace) for one in chosen)
    if live:
        from kubehop.cli.resolve_live import asked

        found = tuple(asked(one, server) for one in found)
    elif server is not None:
        raise UsageError("--server goes with --live: a prediction asks who the files name")
    if output in ("json", "yaml"):
        from kubehop.render.lookup_json import lookup_json, lookup_list_json

        if resolver == "all":
            emit(lookup_list_json(found, cluster, names.assumptions), output)
        else:
            emit(lookup_json(found[0], cluster, names.assumptions), output)
    elif output == "name":
        from kubehop.dns.outside import UNKNOWN_ADDRESS

        addresses = dict.fromkeys(a for one in found for a in one.outcome.addresses)
        addresses.pop(UNKNOWN_ADDRESS, None)
        click.echo("".join(f"{address}\n" for address in addresses), nl=False)
    else:
        from kubehop.render.lookup_text import comparison_text, lookup_text

        said = names.assumptions
        if resolver == "all":
            drawn = comparison_text(found, cluster, style(output), assumptions=said)
        else:
            drawn = lookup_text(found[0], cluster, style(output), assumptions=said)
        click.echo(drawn, nl=False)
        warn_ignored(dict(cluster.ignored))
    return 0 if all(one.outcome.status is Status.FOUND for one in found) else 1
