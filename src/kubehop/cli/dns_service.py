"""A source that is followed, and the server that answers from it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from kubehop.dns.chain import Serving, own_addresses
from kubehop.dns.corefile.cluster import KUBEADM
from kubehop.dns.corefile.parse import parse
from kubehop.dns.corefile.plugins.kubernetes import Kubernetes
from kubehop.dns.service import api_service, dns_service
from kubehop.dns.zone import ZoneData
from kubehop.dnsserver import Listen, Server
from kubehop.dnsserver.log import Log
from kubehop.follow import Source
from kubehop.model.addresses import socket_address
from kubehop.model.changes import FOLLOWED, Change, Update
from kubehop.model.errors import InputError
from kubehop.model.kinds import KINDS

Report = Callable[[str], None]
RESOLV_CONF = "/etc/resolv.conf"
CLUSTERS_COREFILE = "ConfigMap kube-system/coredns: Corefile"


@dataclass(frozen=True, slots=True)
class Settings:
    """What to serve where; `corefile` None takes the cluster's own, `corefile_name` is what
    errors call it, `resolv_conf` the text of the file that a Corefile forwards to."""

    listen: tuple[Listen, ...]
    corefile: str | None = None
    corefile_name: str = "Corefile"
    resolv_conf: str = ""
    health: Listen | None = None
    ready: Listen | None = None
    metrics: Listen | None = None
    log: Log | None = None
    assume: bool = False
    """Serve what every cluster has, where the source does not (`default/kubernetes`)."""


class DNSService:
    """Follows `source` in a thread, and serves what it says in the caller's."""

    def __init__(self, source: Source, settings: Settings, report: Report) -> None:
        """Reads the source for the first time and binds the sockets. Raises what the source
        raises, InputError for a Corefile that cannot be used, UsageError for an address."""
        self._source, self._settings, self._report = source, settings, report
        self._stop = threading.Event()
        self._follower = threading.Thread(target=self._follow, daemon=True, name="kubehop-source")
        try:
            state = source.start()
            self._synced, self._text = state.synced, state.corefile
            self._data = ZoneData.of(state.cluster, _kinds(state.synced))
            if settings.assume and (api := api_service(state.cluster)):
                self._data.apply(Change((api,)))
            for line in state.cluster.assumptions:
                report(f"assumed: {line}")
            service = dns_service(state.cluster)
            mine = (service.namespace, service.name) if service else ("", "")
            self._own = own_addresses(state.cluster, mine)
            self._server = Server(
                self._serving(),
                settings.listen,
                health=settings.health,
                ready=settings.ready,
                metrics=settings.metrics,
                log=settings.log,
            )
        except BaseException:
            source.close()
            raise

    @property
    def ports(self) -> list[int]:
        """The ports of `listen`, in its order."""
        return self._server.ports

    @property
    def pages(self) -> tuple[tuple[str, Listen, int], ...]:
        """The HTTP side: path, where, and the port that it has there."""
        places = (
            ("/health", self._settings.health),
            ("/ready", self._settings.ready),
            ("/metrics", self._settings.metrics),
        )
        ports = self._server.http_ports
        return tuple((path, place, ports[path]) for path, place in places if place)

    def __enter__(self) -> Self:
        self._follower.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.stop()
        self._follower.join(timeout=2)

    def run(self) -> None:
        """Serve until Ctrl-C or SIGTERM."""
        self._server.run()

    def _follow(self) -> None:
        self._source.run(self._take, self._stop)

    def _take(self, update: Update) -> None:
        """Answer as the source says from now on."""
        news = update.synced != self._synced
        if news:
            self._data.synced = _kinds(update.synced)
        if update.change:
            self._server.apply(update.change)
        if news or update.corefile != self._text:
            self._synced, self._text = update.synced, update.corefile
            try:
                self._server.reload(self._serving())
            except InputError as error:
                # As CoreDNS does: the old one serves on.
                self._report(f"the new Corefile is not used: {error}")

    def _serving(self) -> Serving:
        given, conf = self._settings.corefile, self._settings.resolv_conf
        text = given if given is not None else self._text
        if text is None:
            self._report("assumed: kubeadm's Corefile, for there is no ConfigMap coredns to read")
        corefile = parse(
            KUBEADM if text is None else text,
            self._settings.corefile_name if text is not None else "kubeadm's Corefile",
            files={RESOLV_CONF: conf},
        )
        # Not in a pod: 127.0.0.53 is somebody else here, unless we listen there.
        places = {socket_address(where.address, where.port) for where in self._settings.listen}
        first = corefile.blocks[0].keys[0].port
        serving = Serving(
            corefile,
            self._data,
            own=self._own,
            resolv_conf=conf,
            itself=lambda server: first if server in places else 0,
            serial=int(time.time()),  # noqa: TID251
        )
        for note in serving.notes:
            self._report(f"note: {note}")
        return serving


def wants_pods(corefile: str | None) -> bool:
    """True if a Corefile (None: kubeadm's) needs pods to be known: `pods verified`."""
    try:
        found = parse(corefile or KUBEADM)
    except InputError:
        return False
    plugins = (plugin for block in found.blocks for plugin in block.plugins)
    return any(isinstance(plugin, Kubernetes) and plugin.pods == "verified" for plugin in plugins)


def _kinds(plurals: frozenset[str]) -> frozenset[str]:
    """Kinds by their plurals."""
    return frozenset(kind for kind in FOLLOWED if KINDS[kind].plural in plurals)
