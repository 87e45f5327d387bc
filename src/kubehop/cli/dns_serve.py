"""`kubehop dns serve`: the cluster's names over UDP and TCP, following where they come from."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kubehop.cli.common import cluster_options, model_options
from kubehop.files import read_text
from kubehop.model.errors import InputError, UsageError

if TYPE_CHECKING:
    from kubehop.cli.dns_service import Settings
    from kubehop.dnsserver import Listen
    from kubehop.follow import Source

LISTEN = "127.0.0.1:1053"


@click.command("serve")
@click.option(
    "--listen",
    multiple=True,
    default=(LISTEN,),
    show_default=True,
    metavar="ADDR[:PORT]",
    help="Where to listen, over UDP and TCP; repeatable. Port 53 if none is given.",
)
@click.option("--corefile", metavar="FILE", help="Default: the ConfigMap coredns, else kubeadm's.")
@click.option(
    "--upstream",
    multiple=True,
    metavar="IP",
    help="Stands for the nameservers of /etc/resolv.conf, which a Corefile forwards to.",
)
@click.option("--health", metavar="ADDR:PORT", help="Serve /health there.")
@click.option("--ready", metavar="ADDR:PORT", help="Serve /ready there.")
@click.option("--metrics", metavar="ADDR:PORT", help="Serve /metrics there, for Prometheus.")
@click.option("--log", is_flag=True, help="Print a line for every query (slower).")
@cluster_options
def command(
    listen: tuple[str, ...],
    corefile: str | None,
    upstream: tuple[str, ...],
    health: str | None,
    ready: str | None,
    metrics: str | None,
    log: bool,
    **options: Any,
) -> int:
    """Answer the cluster's names as its CoreDNS would, from files or a live cluster.

    The source is followed: when a file changes, or an object in the cluster does, the answers
    change without a gap. What the Corefile forwards is forwarded. Ends with Ctrl-C or SIGTERM.

    \b
    Examples:
      kubehop dns serve -f manifests/
      kubehop dns serve --context prod --listen 127.0.0.1:1053 --metrics 127.0.0.1:9153
      kubehop nslookup kubernetes.default.svc.cluster.local --server 127.0.0.1:1053
    """
    from kubehop.cli.dns_service import CLUSTERS_COREFILE, DNSService, Settings
    from kubehop.cli.query_log import QueryLog
    from kubehop.model.errors import printable

    def report(line: str) -> None:
        click.echo(printable(line), err=True)

    settings = Settings(
        listen=tuple(_place("--listen", text) for text in listen),
        corefile=None if corefile is None else read_text(corefile),
        corefile_name=corefile or CLUSTERS_COREFILE,
        resolv_conf=_resolv_conf(upstream),
        health=_page("--health", health),
        ready=_page("--ready", ready),
        metrics=_page("--metrics", metrics),
        log=QueryLog(sys.stdout, report).write if log else None,
        assume=bool(options["files"]),
    )
    service = DNSService(_source(options, settings, report), settings, report)
    with service:
        for path, place, port in service.pages:
            report(f"{path} on {place.address} port {port}")
        for where, port in zip(settings.listen, service.ports, strict=True):
            report(f"serving on {where.address} port {port}, UDP and TCP; Ctrl-C ends it")
        service.run()
    return 0


def _place(option: str, text: str) -> "Listen":
    """Where to listen; raises UsageError that names the option."""
    from kubehop.dnsserver import Listen

    try:
        return Listen.parse(text)
    except UsageError:
        raise UsageError(f"{option}: {text!r} is not ADDR or ADDR:PORT to listen on") from None


def _page(option: str, text: str | None) -> "Listen | None":
    """Where to serve a page: there is no port that it has by custom."""
    if text is None:
        return None
    if text.count(":") != 1 and "]:" not in text:
        raise UsageError(f"{option}: {text!r} is not ADDR:PORT")
    return _place(option, text)


def _resolv_conf(upstream: tuple[str, ...]) -> str:
    """The resolv.conf that the Corefile's `/etc/resolv.conf` means."""
    from kubehop.model.addresses import is_address

    for address in upstream:
        if not is_address(address):
            raise UsageError(f"--upstream: {address!r} is not an IP address")
    if upstream:
        return "".join(f"nameserver {address}\n" for address in upstream)
    return read_text("/etc/resolv.conf") if Path("/etc/resolv.conf").exists() else ""


def _source(options: dict[str, Any], settings: "Settings", report: Any) -> "Source":
    """The files, or the live cluster if none are given."""
    from kubehop.cli.dns_service import wants_pods

    if not options["files"]:
        from kubehop.live.watch import follow_cluster

        return follow_cluster(
            report,
            context=options["context"],
            kubeconfig=options["kubeconfig"],
            pods=lambda text: wants_pods(settings.corefile or text),
        )
    from kubehop.files import collector_paused
    from kubehop.follow import FileSource, Named
    from kubehop.model.cluster import Cluster
    from kubehop.source.read import read
    from kubehop.workload.complete import complete

    modelled, namespace = model_options(options), options["namespace"] or "default"

    def cluster(named: Named) -> Cluster:
        with collector_paused():
            inventory = read(named, namespace=namespace)
            if not any(inventory.objects.values()):
                raise InputError("no object of a network", file=", ".join(options["files"]))
            return complete(inventory, modelled)

    return FileSource(options["files"], cluster, report)
