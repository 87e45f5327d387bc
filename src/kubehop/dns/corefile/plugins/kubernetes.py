"""`kubernetes`: which zones are answered from the cluster's objects, and how.

Source: `plugin/kubernetes/setup.go`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from kubehop.dns.corefile.dispenser import Dispenser
from kubehop.dns.corefile.numbers import duration, integer
from kubehop.dns.corefile.plugins.selectors import label_selector
from kubehop.dns.corefile.setup import Setup, last, options
from kubehop.dns.corefile.values import Plugin
from kubehop.dns.corefile.zones import fall_zones, is_reverse, zones
from kubehop.model.errors import InputError
from kubehop.model.meta import LabelSelector

PodMode = Literal["disabled", "insecure", "verified"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubernetes(Plugin):
    """The options; `namespaces` () for all, `fallthrough` the zones where it applies.

    `endpoints` is False with `noendpoints`. `primary` is the first zone that is not a
    reverse one: what a PTR names is in it.
    """

    zones: tuple[str, ...]
    primary: str
    pods: PodMode = "disabled"
    ttl: int = 5
    namespaces: frozenset[str] = frozenset()
    labels: LabelSelector | None = None
    namespace_labels: LabelSelector | None = None
    endpoint_pod_names: bool = False
    endpoints: bool = True
    ignore_empty_service: bool = False
    fallthrough: tuple[str, ...] = ()
    zonal: bool = False
    multicluster: tuple[str, ...] = ()
    startup_timeout: float = 5.0
    api: tuple[tuple[str, ...], ...] = field(default=(), metadata={"is": "how the API is asked"})


def parse(setup: Setup) -> tuple[Kubernetes, ...]:
    """The one `kubernetes` of a server block; raises InputError."""
    words = setup.words
    words.next()
    line = words.line
    given = zones(words.arguments(), setup.zones)
    primary = next((zone for zone in given if not is_reverse(zone)), None)
    if primary is None:
        raise InputError("non-reverse zone name must be used")
    found: dict[str, Any] = {}
    for option in options(words):
        reader = _OPTIONS.get(option)
        if reader is None:
            words.error(f"unknown property '{option}'")
        reader(words, found)
    plugin = Kubernetes(name=setup.name, line=line, zones=given, primary=primary, **found)
    _check(words, plugin)
    last(words)
    return (plugin,)


def _check(words: Dispenser, plugin: Kubernetes) -> None:
    """What options forbid each other."""
    if plugin.namespaces and plugin.namespace_labels is not None:
        words.error("namespaces and namespace_labels cannot both be set")
    for zone in plugin.multicluster:
        if zone not in plugin.zones:
            listed = " ".join(plugin.zones)
            problem = f"is not authoritative for the multicluster zone {zone}"
            words.error(f"{problem} (authoritative zones: [{listed}])")
    if plugin.zonal and not plugin.endpoints:
        words.error("zonal requires the endpoint cache; remove noendpoints")


Reader = Callable[[Dispenser, dict[str, Any]], None]


def _flag(name: str, value: bool = True) -> Reader:
    def read(words: Dispenser, found: dict[str, Any]) -> None:
        words.no_arguments()
        found[name] = value

    return read


def _some(words: Dispenser) -> list[str]:
    arguments = words.arguments()
    if not arguments:
        words.wrong_arguments()
    return arguments


def _pods(words: Dispenser, found: dict[str, Any]) -> None:
    arguments = words.arguments()
    if len(arguments) != 1:
        words.wrong_arguments()
    if arguments[0] not in ("disabled", "insecure", "verified"):
        allowed = "must be one of: disabled, verified, insecure"
        raise InputError(f"wrong value for pods: {arguments[0]},  {allowed}")
    found["pods"] = arguments[0]


def _namespaces(words: Dispenser, found: dict[str, Any]) -> None:
    found["namespaces"] = found.get("namespaces", frozenset()) | frozenset(_some(words))


def _selector(name: str, spoken: str) -> Reader:
    def read(words: Dispenser, found: dict[str, Any]) -> None:
        text = " ".join(_some(words))
        try:
            found[name] = label_selector(text)
        except InputError as error:
            problem = f"unable to parse {spoken} selector value: '{text}': {error.problem}"
            raise InputError(problem) from None

    return read


def _fallthrough(words: Dispenser, found: dict[str, Any]) -> None:
    found["fallthrough"] = fall_zones(words.arguments())


def _ttl(words: Dispenser, found: dict[str, Any]) -> None:
    ttl = integer(_some(words)[0])
    if not 0 <= ttl <= 3600:
        words.error(f"ttl must be in range [0, 3600]: {ttl}")
    found["ttl"] = ttl


def _ignore(words: Dispenser, found: dict[str, Any]) -> None:
    arguments = words.arguments()
    if arguments and arguments[0] != "empty_service":
        raise InputError(f"unable to parse ignore value: '{arguments[0]}'")
    if arguments:
        found["ignore_empty_service"] = True


def _multicluster(words: Dispenser, found: dict[str, Any]) -> None:
    found["multicluster"] = zones(words.arguments(), ())
    found["notes"] = ("kubernetes: the names of a multicluster zone are not modelled",)


def _startup_timeout(words: Dispenser, found: dict[str, Any]) -> None:
    text = _some(words)[0]
    try:
        found["startup_timeout"] = duration(text)
    except InputError as error:
        problem = f"failed to parse startup_timeout: {text}, {error.problem}"
        raise InputError(problem) from None


def _api(option: str, allowed: range) -> Reader:
    """An option that says how the API is asked: kept as it is written."""

    def read(words: Dispenser, found: dict[str, Any]) -> None:
        arguments = words.arguments()
        if len(arguments) not in allowed:
            words.wrong_arguments()
        found["api"] = (*found.get("api", ()), (option, *arguments))

    return read


_OPTIONS: dict[str, Reader] = {
    "endpoint_pod_names": _flag("endpoint_pod_names"),
    "pods": _pods,
    "namespaces": _namespaces,
    "endpoint": _api("endpoint", range(1, 1000)),
    "tls": _api("tls", range(3, 4)),
    "labels": _selector("labels", "label"),
    "namespace_labels": _selector("namespace_labels", "namespace_label"),
    "fallthrough": _fallthrough,
    "ttl": _ttl,
    "noendpoints": _flag("endpoints", value=False),
    "zonal": _flag("zonal"),
    "ignore": _ignore,
    "kubeconfig": _api("kubeconfig", range(1, 3)),
    "multicluster": _multicluster,
    "startup_timeout": _startup_timeout,
    "apiserver_qps": _api("apiserver_qps", range(1, 2)),
    "apiserver_burst": _api("apiserver_burst", range(1, 2)),
    "apiserver_max_inflight": _api("apiserver_max_inflight", range(1, 2)),
}
