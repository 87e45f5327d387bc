"""`kubehop service`: who answers for a Service."""

from typing import Any

import click

from kubehop.cli.common import (
    cluster_from,
    cluster_options,
    emit,
    model_options,
    namespace_of,
    output_option,
    style,
    warn_ignored,
)
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.model.service import Service
from kubehop.service.spread import Spread, spreads


@click.command("service")
@click.argument("name", required=False)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="PATH=VALUE",
    help="Show what changing a field of the Service would do; repeatable.",
)
@click.option("-A", "--all-namespaces", is_flag=True, help="Without NAME: all namespaces.")
@output_option("wide", "json", "yaml", "name")
@cluster_options
def command(
    name: str | None,
    changes: tuple[str, ...],
    all_namespaces: bool,
    output: str | None,
    **options: Any,
) -> int:
    """Who answers for a Service: from every node as entry and for every kind of client, which
    pods with which share, whether a second hop is taken and the client's address is kept.

    Without NAME: all Services, one line each. PATH starts at spec, as in
    `--set externalTrafficPolicy=Local` or `--set ports[0].nodePort=30080`.

    Exit code: 0 somebody answers everybody, 1 some connections go unanswered, 2 could not tell.

    \b
    Examples:
      kubehop service web
      kubehop service web --set externalTrafficPolicy=Local
      kubehop service -A -f dump/
    """
    cluster, namespace = cluster_from(options), namespace_of(options)
    if name is None:
        return _list(cluster, "" if all_namespaces else namespace, changes, output)
    from kubehop.trace.questions import find_service

    service = find_service(cluster, name, namespace)
    answers = _answers(cluster, service)
    if changes:
        code = _compare(cluster, service, answers, changes, output, options)
    else:
        code = _show(cluster, answers, output)
    if output in (None, "wide"):
        warn_ignored(dict(cluster.ignored))
    return code


def _answers(cluster: Cluster, service: Service) -> tuple[Spread, ...]:
    """The spreads; a Service that nobody proxies has none, and the reason is said."""
    answers = spreads(cluster, service)
    if answers:
        return answers
    spec = service.spec
    if spec.type == "ExternalName":
        raise UsageError(
            f"{service.reference} is an ExternalName: DNS answers {spec.external_name!r}, "
            "no packet is ever sent to the Service"
        )
    if service.headless:
        raise UsageError(
            f"{service.reference} is headless: DNS gives its pods' addresses and nothing "
            f"balances; try kubehop trace FROM svc/{service.name}.{service.namespace}:PORT"
        )
    raise UsageError(f"{service.reference} has no port and cluster IP that kube-proxy serves")


def _show(cluster: Cluster, answers: tuple[Spread, ...], output: str | None) -> int:
    if output in ("json", "yaml"):
        from kubehop.render.json_values import spread_json

        emit(spread_json(cluster, answers), output)
    elif output == "name":
        click.echo(f"service/{answers[0].service.name}")
    else:
        from kubehop.render.service_text import service_text

        click.echo(service_text(cluster, answers, style(output)), nl=False)
    return _code(answers)


def _compare(
    cluster: Cluster,
    service: Service,
    answers: tuple[Spread, ...],
    changes: tuple[str, ...],
    output: str | None,
    options: dict[str, Any],
) -> int:
    from kubehop.workload.change import changed

    then = changed(cluster, service, changes, model_options(options))
    found = then.service(service.namespace, service.name)
    after = (then, _answers(then, found) if found else ())
    if output in ("json", "yaml"):
        from kubehop.render.json_values import spread_json

        emit(spread_json(cluster, answers, after, changes), output)
    else:
        from kubehop.render.change_text import change_text

        text = change_text((cluster, answers), after, changes, style(output))
        click.echo(text, nl=False)
    return _code(after[1])


def _code(answers: tuple[Spread, ...]) -> int:
    return 1 if any(spread.balance.unanswered for spread in answers) else 0


def _list(cluster: Cluster, namespace: str, changes: tuple[str, ...], output: str | None) -> int:
    if changes:
        raise UsageError("--set needs the NAME of a Service")
    chosen = [s for s in cluster.services if namespace in ("", s.namespace)]
    if not chosen:
        where = f" in namespace {namespace}" if namespace else ""
        raise UsageError(f"no Service{where}; -A looks into all namespaces")
    if output in ("json", "yaml"):
        from kubehop.render.json_values import spread_list_json

        emit(spread_list_json(cluster, chosen), output)
    elif output == "name":
        click.echo("\n".join(f"service/{service.name}" for service in chosen))
    else:
        from kubehop.render.service_list import service_list

        click.echo(service_list(cluster, chosen, style(output)), nl=False)
        warn_ignored(dict(cluster.ignored))
    return 1 if any(_code(spreads(cluster, service)) for service in chosen) else 0
