"""Questions about a cluster's names: those that exist, near misses, and what nobody would ask."""

from collections.abc import Callable, Iterator
from random import Random

from kubehop.dns.names import reverse
from tests.real.asking import Ask
from tests.real.generated import Json

TYPES = (
    *("A",) * 30,
    *("AAAA",) * 14,
    *("SRV",) * 18,
    *("TXT", "CNAME", "PTR", "NS", "SOA", "ANY") * 4,
    *("MX", "HTTPS", "TYPE65280", "CAA", "DS", "NAPTR", "SVCB"),
)
_WORLD = (
    "example.com.",
    "www.example.org.",
    "v4only.example.net.",
    "many.example.net.",
    "nosuch.example.net.",
    "servfail.example.net.",
    "refused.example.net.",
    "under_score.example.net.",
    "com.",
    ".",
    "whoami.default.",
    "db.corp.example.",
)
_APEX = ("", "svc.", "pod.", "ns.dns.", "dns.", "dns-version.", "x.dns-version.", "nosuch.", "a.b.")


def questions(objects: list[Json], zone: str, seed: int, count: int) -> list[Ask]:
    """`count` questions, one and the same for one and the same seed; `zone` is absolute."""
    random = Random(seed)
    names = sorted(set(_names(objects, zone)))
    # Half of them short: whole names of Services and the like hit more often than what is below.
    short = [name for name in names if len(name) < 40 or name.endswith("arpa.")]
    return [_ask(random, random.choice(random.choice((names, short))), names) for _ in range(count)]


def _ask(random: Random, name: str, names: list[str]) -> Ask:
    if random.random() < 0.25:
        name = random.choice(_MUTATIONS)(random, name, names)
    if random.random() < 0.2:
        name = "".join(random.choice((c.lower(), c.upper())) for c in name)
    return Ask(name, _type(random, name), payload=4096)


def _type(random: Random, name: str) -> str:
    if "arpa" in name.lower() and random.random() < 0.8:
        return "PTR"
    if name.startswith("_") and random.random() < 0.6:
        return "SRV"
    return random.choice(TYPES)


def _names(objects: list[Json], zone: str) -> Iterator[str]:
    yield from (f"{label}{zone}" for label in _APEX)
    yield from _WORLD
    for obj in objects:
        namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
        match obj["kind"]:
            case "Namespace":
                yield from (f"{name}.{kind}.{zone}" for kind in ("svc", "pod"))
            case "Service":
                yield from _of_service(obj, f"{name}.{namespace}.svc.{zone}")
            case "EndpointSlice":
                service = obj["metadata"].get("labels", {}).get("kubernetes.io/service-name", "x")
                yield from _of_slice(obj, f"{service}.{namespace}.svc.{zone}")
            case "Pod":
                yield f"{name}.{namespace}.pod.{zone}"
                yield from _of_address(
                    obj.get("status", {}).get("podIP", ""), f"{namespace}.pod.{zone}"
                )


def _of_service(obj: Json, at: str) -> Iterator[str]:
    yield at
    yield f"x.{at}"
    spec = obj["spec"]
    for ip in spec.get("clusterIPs") or [spec.get("clusterIP") or "None"]:
        yield from _of_address(ip, at)
    for port in spec.get("ports") or ():
        yield from _of_port(port, at)
    yield from (f"{label}.{at}" for label in ("_tcp", "_._tcp", "_http._", "_http.x", "tcp.tcp"))


def _of_port(port: Json, at: str) -> Iterator[str]:
    name, protocol = port.get("name") or "", (port.get("protocol") or "TCP").lower()
    other = "udp" if protocol == "tcp" else "tcp"
    for label in (name, f"_{name}"):
        if label:
            yield from (f"{label}._{protocol}.{at}", f"{label}.{protocol}.{at}")
            yield f"{label}._{other}.{at}"
    yield f"_._{protocol}.{at}"


def _of_slice(obj: Json, at: str) -> Iterator[str]:
    for endpoint in obj.get("endpoints") or ():
        for address in endpoint["addresses"]:
            yield from _of_address(address, at)
        if endpoint.get("hostname"):
            yield f"{endpoint['hostname']}.{at}"
        if endpoint.get("targetRef"):
            yield f"{endpoint['targetRef']['name'][:63]}.{at}"
    for port in obj.get("ports") or ():
        yield from _of_port(port, at)


def _of_address(address: str, at: str) -> Iterator[str]:
    """The reverse name, and the address with dashes, as endpoints and pods are called."""
    if "." in address and not address[0].isalpha():
        yield from (reverse(address), f"{address.replace('.', '-')}.{at}")
    elif ":" in address:
        dashed = address.replace(":", "-")
        yield from (reverse(address), f"{dashed}.{at}" if dashed[-1] != "-" else f"{dashed}0.{at}")


# Near misses


def _drop(random: Random, name: str, names: list[str]) -> str:
    parts = name.split(".")
    del parts[random.randrange(len(parts))]
    return _absolute(parts)


def _double(random: Random, name: str, names: list[str]) -> str:
    parts = name.split(".")
    at = random.randrange(len(parts))
    return _absolute([*parts[:at], parts[at], *parts[at:]])


def _swap(random: Random, name: str, names: list[str]) -> str:
    parts = name.rstrip(".").split(".")
    at = random.randrange(len(parts))
    parts[at - 1], parts[at] = parts[at], parts[at - 1]
    return _absolute(parts)


def _cross(random: Random, name: str, names: list[str]) -> str:
    """The beginning of one name, the end of another: what a search list makes."""
    parts, others = name.rstrip(".").split("."), random.choice(names).rstrip(".").split(".")
    return _absolute([*parts[: random.randrange(len(parts) + 1)], *others[-4:]])


def _spell(random: Random, name: str, names: list[str]) -> str:
    at = random.randrange(len(name))
    return _absolute((name[:at] + random.choice("ax0-_*") + name[at + 1 :]).split("."))


def _below(random: Random, name: str, names: list[str]) -> str:
    return _absolute([random.choice(("x", "_x", "*", "any", "_", "0", "10-42-1-1")), name])


def _absolute(parts: list[str]) -> str:
    """A name that fits on the wire, whatever was done to it."""
    kept = [part[:63] for part in ".".join(parts).split(".") if part]
    while sum(len(part) + 1 for part in kept) > 253:
        del kept[0]
    return ".".join(kept) + "."


Mutation = Callable[[Random, str, list[str]], str]
_MUTATIONS: tuple[Mutation, ...] = (_drop, _double, _swap, _cross, _cross, _spell, _below)
