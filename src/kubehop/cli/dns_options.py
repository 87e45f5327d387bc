"""The options that say about names what no object tells; read them with `dns_settings`."""

from typing import Any

import click

from kubehop.cli.common import F
from kubehop.files import read_text
from kubehop.model.addresses import is_address
from kubehop.model.errors import UsageError

_FILES = (
    click.option("--cluster-dns", metavar="IP,...", help="The kubelet's clusterDNS; '' for none."),
    click.option("--cluster-domain", metavar="NAME", help="The kubelet's clusterDomain."),
    click.option(
        "--node-resolv-conf",
        metavar="FILE",
        help="The resolv.conf of the nodes. Default: as annotated, else assumed.",
    ),
    click.option(
        "--corefile", metavar="FILE", help="Default: the ConfigMap coredns, else kubeadm's."
    ),
)

_OUTSIDE = (
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


def file_options(function: F) -> F:
    """The options that decide about the files of pods and nodes."""
    for option in reversed(_FILES):
        function = option(function)
    return function


def dns_options(function: F) -> F:
    """The options of commands that predict lookups."""
    for option in reversed((*_FILES, *_OUTSIDE)):
        function = option(function)
    return function


def dns_settings(options: dict[str, Any]) -> Any:
    """The DNSSettings that the options say."""
    from kubehop.dns.outside import Mood
    from kubehop.dns.settings import DNSSettings

    corefile = options["corefile"]
    return DNSSettings(
        cluster_dns=_addresses(options["cluster_dns"]),
        cluster_domain=_domain(options["cluster_domain"]),
        node_resolv_conf=_text(options["node_resolv_conf"]),
        corefile=_text(corefile),
        corefile_name=corefile or "Corefile",
        hosts=_hosts(options.get("hosts", ())),
        mood=Mood(options.get("mood", Mood.ANSWERS)),
    )


def _domain(given: str | None) -> str | None:
    """A domain without its trailing dot."""
    if given is None:
        return None
    if not _is_name(given):
        raise UsageError(f"--cluster-domain: {given!r} is not a domain name")
    return given.removesuffix(".")


def _is_name(text: str) -> bool:
    """True for a name that one would write, the root left out; raises UsageError for IDNs."""
    from kubehop.dns.names import fits, in_ascii

    written = in_ascii(text).isprintable() and " " not in text
    return written and bool(text.strip(".")) and fits(text)


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
        if not equals or not _is_name(name) or not is_address(address):
            raise UsageError(f"--host: {entry!r} is not NAME=IP")
        found[name] = (*found.get(name, ()), address)
    return found
