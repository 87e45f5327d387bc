"""Our side of a comparison: the same objects and Corefile, asked without a socket."""

from collections.abc import Iterable

import msgspec

from kubehop.dns.chain import Asked, Serving
from kubehop.dns.corefile import parse
from kubehop.dns.message import Question, Reply
from kubehop.dns.zone import KINDS, ZoneData
from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.meta import Object
from kubehop.model.node import Namespace
from kubehop.model.pod import Pod
from kubehop.model.service import EndpointSlice, Service
from tests.real.asking import OLD_SERIAL, Ask
from tests.real.fake_api import State
from tests.real.internet import internet
from tests.real.selecting import Json


def cluster_of(objects: Iterable[Json]) -> Cluster:
    """The objects as an API server gives them: nothing is completed or made up."""
    listed = list(objects)

    def of(kind: type[Object]) -> tuple[Object, ...]:
        found = (o for o in listed if o["kind"] == kind.__name__)
        return tuple(sorted((msgspec.convert(o, kind) for o in found), key=sort_key))

    return Cluster(
        namespaces=of(Namespace),  # type: ignore[arg-type]
        services=of(Service),  # type: ignore[arg-type]
        slices=of(EndpointSlice),  # type: ignore[arg-type]
        pods=of(Pod),  # type: ignore[arg-type]
    )


def serving(
    objects: Iterable[Json],
    corefile: str,
    own: tuple[str, ...],
    state: State = State.OK,
    resolv_conf: str = "",
) -> Serving:
    """What CoreDNS at the addresses `own` would know when the API grants what `state` says."""
    synced = frozenset(kind for kind in KINDS if not state.forbids(kind))
    data = ZoneData.of(cluster_of(objects), synced)
    return Serving(parse(corefile), data, own=own, resolv_conf=resolv_conf)


def answered(served: Serving, ask: Ask, now: float = 0.0) -> Reply:
    """The reply; what the chain wants asked outside, the test's internet answers."""
    asked = Asked(
        Question(ask.name, ask.type),
        client=ask.client or "127.0.0.1",
        transport="tcp" if ask.transport == "tcp" else "udp",
        payload=ask.payload,
        serial=OLD_SERIAL if ask.type == "IXFR" else 0,
    )
    chain = served.answer(asked, now)
    try:
        wanted = next(chain)
        while True:
            wanted = chain.send(internet(wanted.question))
    except StopIteration as end:
        reply: Reply = end.value
        return reply
