"""The world beyond the cluster: what resolvers outside answer in these tests."""

from kubehop.dns.message import Question, Rcode, Record, Reply

# No suffix that questions have: a server that compresses names would repeat their spelling.
_ROOT_SOA = Record(".", 86400, "SOA", "a.root. nstld.root. 2024 1800 900 604800 86400")
_WORLD: dict[str, dict[str, tuple[str, ...]]] = {
    "example.com.": {
        "A": ("93.184.216.34",),
        "AAAA": ("2606:2800:220:1::1",),
        "MX": ("10 mail.example.com.",),
        "TXT": ('"v=spf1 -all"', '"second"'),
    },
    "v4only.example.net.": {"A": ("192.0.2.4", "192.0.2.5")},
    "www.example.org.": {"CNAME": ("example.com.",)},
    "many.example.net.": {"A": tuple(f"192.0.2.{n}" for n in range(1, 101))},
    "under_score.example.net.": {"A": ("192.0.2.77",)},
}
_RCODES = {"servfail.example.net.": Rcode.SERVFAIL, "refused.example.net.": Rcode.REFUSED}


def internet(question: Question) -> Reply:
    """What the world beyond the cluster answers: some names, NXDOMAIN for all others."""
    name = question.name.lower()
    if name in _RCODES:
        return Reply(_RCODES[name], recursive=True)
    if name not in _WORLD:
        return _reply(Rcode.NXDOMAIN)
    return _reply(Rcode.NOERROR, _found(question.name, question.type))


def _reply(rcode: Rcode, found: tuple[Record, ...] = ()) -> Reply:
    soa = () if found else (_ROOT_SOA,)
    return Reply(rcode, found, soa, authoritative=True, recursive=True)


def _found(owner: str, kind: str) -> tuple[Record, ...]:
    held = _WORLD.get(owner.lower(), {})
    if kind not in held and "CNAME" in held:
        (target,) = held["CNAME"]
        return (Record(owner, 5, "CNAME", target), *_found(target, kind))
    return tuple(Record(owner, 5, kind, data) for data in held.get(kind, ()))
