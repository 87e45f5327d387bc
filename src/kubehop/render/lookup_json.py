"""A lookup as JSON; `docs/json.md` describes it, a test holds it."""

from kubehop.dns.lookup.advice import Advice
from kubehop.dns.lookup.protocol import Silence
from kubehop.dns.message import Reply
from kubehop.model.cluster import Cluster
from kubehop.render.json_common import API_VERSION, Json, basis, fraction
from kubehop.trace.lookups import Answered, Prediction
from kubehop.trace.nameservers import Nameserver

NEVER = float("inf")


def lookup_json(found: Prediction, cluster: Cluster, assumptions: tuple[str, ...]) -> Json:
    """A `Lookup`."""
    head = {"apiVersion": API_VERSION, "kind": "Lookup"}
    return {**head, **lookup_fields(found), **basis(cluster, assumptions)}


def lookup_list_json(
    found: tuple[Prediction, ...], cluster: Cluster, assumptions: tuple[str, ...]
) -> Json:
    """A `LookupList`: one name by several resolvers."""
    return {
        "apiVersion": API_VERSION,
        "kind": "LookupList",
        "items": [lookup_fields(one) for one in found],
        **basis(cluster, assumptions),
    }


def lookup_fields(found: Prediction) -> Json:
    """What is said of one lookup, wherever it stands."""
    outcome = found.outcome
    return {
        "name": found.name,
        "from": found.origin,
        "resolver": found.resolver.name,
        "resolvConf": found.files.resolv_conf,
        "hosts": found.files.hosts or None,
        "nameservers": [_nameserver(met) for met in found.nameservers],
        "queries": [_query(number, one) for number, one in enumerate(found.steps, 1)],
        "queryCount": found.queries,
        "outcome": {
            "status": outcome.status.value,
            "addresses": list(outcome.addresses),
            "canonicalName": outcome.canonical or None,
            "error": outcome.text or None,
            "exitCode": outcome.exit,
            "seconds": None if found.seconds == NEVER else found.seconds,
        },
        "advice": [_advice(advice) for advice in found.advice],
        "notes": list(found.notes),
    }


def _nameserver(met: Nameserver) -> Json:
    return {
        "address": met.address,
        "answers": met.answers.value,
        "what": met.what,
        "why": met.why or None,
        "object": met.object or None,
        "share": fraction(met.share),
    }


def _query(number: int, one: Answered) -> Json:
    query, result = one.step.query, one.step.result
    return {
        "number": number,
        "seconds": one.step.at,
        "name": query.question.name,
        "type": query.question.type,
        "server": query.server,
        "transport": query.transport.value,
        "sentBecause": query.why,
        "answer": _answer(result),
        "answeredAfter": one.step.after,
        "records": list(map(str, result.answer)) if isinstance(result, Reply) else [],
        "answeredBecause": one.why or None,
        "object": one.object or None,
    }


def _answer(result: Reply | Silence) -> str:
    return result.kind.value if isinstance(result, Reply) else result.value.upper()


def _advice(advice: Advice) -> Json:
    return {"text": advice.text, "saves": advice.saves, "name": advice.name or None}
