"""What all commands share: input and output options, and the cluster that they mean."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kubehop.cli.output import emit as emit
from kubehop.cli.output import output_option as output_option
from kubehop.cli.output import style as style
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.model.inventory import Inventory
from kubehop.model.proxy import DetectLocal, ProxyMode
from kubehop.workload.options import Options

F = TypeVar("F", bound=Callable[..., Any])


def _files(default: str) -> Callable[[F], F]:
    return click.option(
        "-f",
        "--filename",
        "files",
        multiple=True,
        metavar="FILE|DIR|-",
        help=f"Manifests, lists, dumps or snapshots; repeatable. Default: {default}.",
    )


_INPUT = (
    click.option("-n", "--namespace", metavar="NAME", help="Namespace of unqualified names."),
    click.option("--context", metavar="NAME", help="The kubeconfig context to use."),
    click.option("--kubeconfig", metavar="FILE", help="The kubeconfig to use."),
)

_MODEL = (
    click.option(
        "--nodes",
        type=click.IntRange(1, 250),
        default=3,
        show_default=True,
        metavar="N",
        help="How many nodes to imagine where the input has none.",
    ),
    click.option(
        "--zones",
        type=click.IntRange(0, 26),
        default=0,
        metavar="N",
        help="How many zones the imaginary nodes are in.",
    ),
    click.option(
        "--proxy-mode",
        type=click.Choice([mode.value for mode in ProxyMode]),
        help="kube-proxy's mode. Default: as its ConfigMap says, else nftables.",
    ),
    click.option(
        "--detect-local",
        type=click.Choice([mode.value for mode in DetectLocal]),
        help="kube-proxy's detectLocalMode.",
    ),
    click.option("--cluster-cidr", metavar="CIDR,...", help="kube-proxy's clusterCIDR."),
    click.option("--service-cidr", metavar="CIDR,...", help="Where cluster IPs come from."),
    click.option("--nodeport-addresses", metavar="CIDR,...", help="kube-proxy's option."),
    click.option("--masquerade-all/--no-masquerade-all", default=None, help="kube-proxy's option."),
    click.option(
        "--pod-network",
        metavar="NAME",
        help="How pods are wired: canal, flannel, calico, kindnet, aws-vpc.",
    ),
)


def cluster_options(function: F) -> F:
    """The options that say which cluster is meant; read them with `cluster_from`."""
    return options_for("the current context")(function)


def options_for(default: str) -> Callable[[F], F]:
    """`cluster_options` of a command that means `default` when no files are given."""

    def decorated(function: F) -> F:
        for option in reversed((_files(default), *_INPUT, *_MODEL)):
            function = option(function)
        return function

    return decorated


def namespace_of(options: dict[str, Any]) -> str:
    """The namespace for unqualified names: -n, else the context's, else default."""
    if options["namespace"]:
        return str(options["namespace"])
    if options["files"]:
        return "default"
    from kubehop.live.fetch import context_namespace

    return context_namespace(context=options["context"], kubeconfig=options["kubeconfig"])


def inventory_from(options: dict[str, Any]) -> Inventory:
    """Read the files, or the live cluster if none are given."""
    if options["files"]:
        from kubehop.files import collector_paused, read_paths
        from kubehop.source.read import read

        with collector_paused():
            named = read_paths(options["files"])
            inventory = read(named, namespace=options["namespace"] or "default")
        if not any(inventory.objects.values()):
            ignored = ", ".join(f"{n} {kind}" for kind, n in sorted(inventory.ignored.items()))
            found = f"; found only {ignored}" if ignored else ""
            raise UsageError(f"{', '.join(options['files'])}: no object of a network{found}")
        return inventory
    from kubehop.cli.progress import showing_progress
    from kubehop.live.fetch import fetch

    with showing_progress() as progress:
        return fetch(
            context=options["context"],
            kubeconfig=options["kubeconfig"],
            namespaces=(options["namespace"],) if options["namespace"] else (),
            progress=progress,
        )


def cluster_from(options: dict[str, Any]) -> Cluster:
    """The cluster that the options mean, complete."""
    from kubehop.workload.complete import complete

    return complete(inventory_from(options), model_options(options))


def model_options(options: dict[str, Any]) -> Options:
    """The options that say what the objects do not."""
    mode, detect = options["proxy_mode"], options["detect_local"]
    return Options(
        nodes=options["nodes"],
        zones=options["zones"],
        proxy_mode=ProxyMode(mode) if mode else None,
        detect_local=DetectLocal(detect) if detect else None,
        cluster_cidrs=_split(options["cluster_cidr"], "--cluster-cidr"),
        service_cidrs=_split(options["service_cidr"], "--service-cidr"),
        nodeport_addresses=_split(options["nodeport_addresses"], "--nodeport-addresses"),
        masquerade_all=options["masquerade_all"],
        pod_network=options["pod_network"],
    )


def _split(cidrs: str | None, option: str) -> tuple[str, ...] | None:
    """`10.0.0.0/8,fd00::/48` checked; None if the option was not given."""
    from kubehop.model.addresses import network

    if cidrs is None:
        return None
    parts = tuple(part.strip() for part in cidrs.split(",") if part.strip())
    for part in parts:
        try:
            if part != "primary" or option != "--nodeport-addresses":
                network(part)
        except ValueError as error:
            raise UsageError(f"{option}: {part!r} is not a CIDR") from error
    return parts


def warn_ignored(inventory_ignored: dict[str, int]) -> None:
    """One line on standard error that names the kinds that were not read."""
    if inventory_ignored:
        total = sum(inventory_ignored.values())
        kinds = ", ".join(sorted(inventory_ignored))
        click.echo(f"not read: {total} objects of other kinds ({kinds})", err=True)
