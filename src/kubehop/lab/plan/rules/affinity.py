"""sessionAffinity ClientIP: a chain per set, and per endpoint a chain and a set of its clients.

As kube-proxy has it (reference, section 4): endpoints are asked in order whether they remember
the client, else one is drawn; a set is shared by all frontends of the Service port, and goes
with its endpoint, so that one that returns remembers nobody.
"""

from kubehop.lab.plan.rules.frame import TRANSPORT, WORDS, name_of
from kubehop.lab.plan.rules.parts import Piece
from kubehop.model.addresses import Family, parse
from kubehop.service.endpoints import Endpoint
from kubehop.service.sets import Endpoints


def add_affinity(
    piece: Piece, wanted: Family, set_number: int, endpoints: Endpoints, seconds: int
) -> str:
    """Add what remembers clients of a set; the name of the chain to go to."""
    port = set_number >> 1
    keys = [f"{port:x}-{int(parse(e.address)):x}-{e.port}-{seconds}" for e in endpoints]
    for endpoint, key in zip(endpoints, keys, strict=True):
        _add_endpoint(piece, wanted, endpoint, key, seconds)
    saddr = f"{WORDS[wanted]['ip']} saddr"
    remembered = (f"{saddr} @clients-{key} goto endpoint-{key}" for key in keys)
    drawn = ", ".join(f"{index} : goto endpoint-{key}" for index, key in enumerate(keys))
    chain = f"affinity-{set_number:x}"
    rule = f"numgen random mod {len(keys)} vmap {{ {drawn} }}"
    piece.chains[name_of(wanted, chain)] = (*remembered, rule)
    return chain


def _add_endpoint(piece: Piece, wanted: Family, endpoint: Endpoint, key: str, seconds: int) -> None:
    address = f"[{endpoint.address}]" if wanted is Family.IPV6 else endpoint.address
    piece.sets[name_of(wanted, f"clients-{key}")] = (
        f"type {WORDS[wanted]['addr']}; flags dynamic,timeout; timeout {seconds}s;"
    )
    piece.chains[name_of(wanted, f"endpoint-{key}")] = (
        f"update @clients-{key} {{ {WORDS[wanted]['ip']} saddr }} {TRANSPORT} "
        f"dnat to {address}:{endpoint.port}",
    )
