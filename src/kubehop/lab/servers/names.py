"""The DNS servers of a lab, each in a thread whose network is its namespace's."""

import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from kubehop.dns.chain import Serving
from kubehop.dns.service import api_service, dns_service
from kubehop.dns.settings import DNSSettings
from kubehop.dns.zone import ZoneData
from kubehop.dnsserver import Listen, Server
from kubehop.dnsserver.listen import Pair
from kubehop.dnsserver.values import Chain
from kubehop.lab.plan.public_zone import public_zone
from kubehop.lab.plan.values import Nameserver
from kubehop.lab.servers.chains import (
    Log,
    Logging,
    OutsideChain,
    corefile_for,
    is_assumed,
    serving,
)
from kubehop.lab.servers.servers import Inside
from kubehop.model.changes import Change, between
from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.errors import InputError, KubehopError

Key = tuple[str, tuple[str, ...], int, str, bool]
"""What a server is as long as it runs: namespace, addresses, port, pod and whether it is silent."""

DEFAULTS = DNSSettings()


class Silent:
    """Sockets that take what comes and answer nothing: nobody reads them."""

    def __init__(self, listen: Iterable[Listen]) -> None:
        self._pairs: list[Pair] = []
        try:
            for where in listen:
                self._pairs.append(where.open())
        except KubehopError:
            self.stop()
            raise

    def stop(self) -> None:
        for pair in self._pairs:
            for sock in pair:
                sock.close()


@dataclass(slots=True)
class Running:
    """A server of the lab; `data` and `read` are of cluster DNS.

    `read` is all that its chain was made of besides the objects, `serves` the port whose server
    blocks answer.
    """

    server: Server | Silent
    chain: Serving | None = None
    data: ZoneData | None = None
    read: object = None
    serves: int = 0


class DNSServers:
    """Runs Nameservers until `stop`. Its methods may be called from any thread.

    What is wrong with a server in the lab (another Corefile, a resolv.conf that loops, silence)
    is said by its Nameserver; there is no other switch. With a `log`, which is called in the
    server's thread for every query that comes to cluster DNS, each query goes through the whole
    plugin chain.
    """

    def __init__(
        self, inside: Inside, *, settings: DNSSettings = DEFAULTS, log: Log | None = None
    ) -> None:
        self._inside, self._settings, self._log = inside, settings, log
        self._lock = threading.Lock()
        self._zone = public_zone(settings)
        self._cluster = Cluster()
        self._running: dict[Key, Running] = {}

    def stop(self) -> None:
        """End all servers; while their namespaces stand."""
        with self._lock:
            for key in tuple(self._running):
                self._running.pop(key).server.stop()

    def apply(
        self, cluster: Cluster, nameservers: Iterable[Nameserver], remade: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Run these servers and no others; when it returns all answer by `cluster`.

        `remade` are namespaces that are not the ones they were. Returns a line for each server
        that does not run, or runs with an older Corefile, and why.
        """
        with self._lock:
            served = _served(cluster)
            change = between(self._cluster, served) if self._running else Change()
            self._cluster = served
            wanted = {_key(server): server for server in nameservers}
            for key in tuple(self._running):
                if key not in wanted or key[0] in remade:
                    self._running.pop(key).server.stop()
            lines = [self._problem(key, server, change) for key, server in wanted.items()]
            return tuple(line for line in lines if line)

    def _problem(self, key: Key, server: Nameserver, change: Change) -> str:
        """Have the server run; why it does not, or not as it should."""
        try:
            if server.pod and not server.silent:
                self._run_cluster_dns(key, server, change)
            elif key not in self._running:
                self._running[key] = Running(self._other(server))
        except KubehopError as error:
            return f"DNS server {server.pod or 'outside'} in {server.namespace}: {error}"
        return ""

    def _other(self, server: Nameserver) -> Server | Silent:
        """A server that never changes."""
        if not server.silent:
            return self._started(server, OutsideChain(self._zone), 0)
        with self._inside(server.namespace):
            return Silent(Listen(address, server.port) for address in server.addresses)

    @contextmanager
    def watched(self, log: Log) -> Iterator[None]:
        """Tell `log`, and no other, of queries to cluster DNS while the body runs: only then they
        are slower. One at a time. What is cached stays so."""
        before = self._log
        self._tell(log)
        try:
            yield
        finally:
            self._tell(before)

    def _tell(self, log: Log | None) -> None:
        with self._lock:
            self._log = log
            for key, running in self._running.items():
                if running.chain is not None and isinstance(running.server, Server):
                    running.server.reload(self._logged(key[3], running.chain))

    # Cluster DNS

    def _run_cluster_dns(self, key: Key, server: Nameserver, change: Change) -> None:
        running = self._running.get(key)
        if running is not None and change:
            assert isinstance(running.server, Server)
            running.server.apply(change)
        read = self._read(server)
        if running is not None and running.read == read:
            return
        # Where there is one already and this fails it serves on, as CoreDNS does.
        corefile = corefile_for(self._cluster, server, self._settings)
        data = running.data if running is not None else None
        data = data or ZoneData.of(self._cluster)
        chain = serving(self._cluster, corefile, data, server)
        serves = self._serves(server, chain)
        if running is not None and running.serves == serves:
            assert isinstance(running.server, Server)
            running.server.reload(self._logged(server.pod, chain))
        else:
            if running is not None:
                self._running.pop(key).server.stop()
            if serves is None:
                listens = ", ".join(map(str, chain.ports)) or "no port"
                raise InputError(f"its Corefile listens on {listens}, not on {server.port}")
            started = self._started(server, self._logged(server.pod, chain), serves)
            self._running[key] = running = Running(started, data=data)
        running.chain, running.read, running.serves = chain, read, serves

    def _read(self, server: Nameserver) -> object:
        """Besides the objects, all that decides about the chain."""
        service = dns_service(self._cluster)
        itself = service.cluster_ips if service else ()
        return server.corefile, server.resolv_conf, self._cluster.config_maps, itself

    def _serves(self, server: Nameserver, chain: Serving) -> int | None:
        """The port of the server blocks that answer there, 0 for those of the first one.

        None where CoreDNS does not listen at all: the port refuses.
        """
        if server.port in chain.ports:
            return server.port
        assumed = server.corefile or is_assumed(self._cluster, self._settings)
        return 0 if assumed else None

    def _logged(self, pod: str, chain: Serving) -> Chain:
        return Logging(chain, pod, self._log) if self._log else chain

    def _started(self, server: Nameserver, chain: Chain, serves: int) -> Server:
        listen = [Listen(address, server.port, serves) for address in server.addresses]
        with self._inside(server.namespace):
            made = Server(chain, listen)
        made.start(self._inside(server.namespace))
        return made


def _key(server: Nameserver) -> Key:
    return server.namespace, server.addresses, server.port, server.pod, server.silent


def _served(cluster: Cluster) -> Cluster:
    """With the API server's Service in any case, as lookups are predicted."""
    service = api_service(cluster)
    if service is None:
        return cluster
    return replace(cluster, services=tuple(sorted((*cluster.services, service), key=sort_key)))
