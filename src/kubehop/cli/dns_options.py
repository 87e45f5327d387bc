"""The options that say about names what no object tells; read them with `dns_settings`."""

from typing import Any

import click

from kubehop.cli.common import F
from kubehop.files import read_text
from kubehop.model.addresses import is_address
from kubehop.model.errors import UsageError

_OPTIONS = (
    click.option("--cluster-dns", metavar="IP,...", help="The kubelet's clusterDNS."),
    click.option("--cluster-domain", metavar="NAME", help="The kubelet's clusterDomain."),
    click.option(
        "--node-resolv-conf",
        metavar="FILE",
        help="The resolv.conf of the nodes. Default: as annotated, else assumed.",
    ),
    click.option(
        "--corefile", metavar="FILE", help="Default: the ConfigMap coredns, else kubeadm's."
    ),
    click.option(
        "--host",
        "hosts",
        multiple=True,
        metavar="NAME=IP",
        help="An address outside of the cluster; repeatable.",
    ),
    click.option(
        "--outside",
        "mood",
        type=click.Choice(["answers", "nxdomain", "servfail", "refused", "silent"]),
        default="answers",
        show_default=True,
        help="How resolvers outside treat all other names.",
    ),
)


def dns_options(function: F) -> F:
    """The options of commands that predict lookups."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def dns_settings(options: dict[str, Any]) -> Any:
    """The DNSSettings that the options say."""
    from kubehop.dns.outside import Mood
    from kubehop.dns.settings import DNSSettings

    domain = options["cluster_domain"]
    return DNSSettings(
        cluster_dns=_addresses(options["cluster_dns"]),
        cluster_domain=domain.strip(".") if domain else None,
        node_resolv_conf=_text(options["node_resolv_conf"]),
        corefile=_text(options["corefile"]),
        hosts=_hosts(options["hosts"]),
        mood=Mood(options["mood"]),
    )


def _text(path: str | None) -> str | None:
    return None if path is None else read_text(path)


def _addresses(given: str | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    parts = tuple(part.strip() for part in given.split(",") if part.strip())
    for part in parts:
        if not is_address(part):
            raise UsageError(f"--cluster-dns: {part!r} is not an IP address")
    return parts


def _hosts(given: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in given:
        name, equals, address = entry.partition("=")
        if not name or not equals or not is_address(address):
            raise UsageError(f"--host: {entry!r} is not NAME=IP")
        found[name] = (*found.get(name, ()), address)
    return found
