"""A predicted lookup, really asked: the same machine on the network, and where the two differ."""

from dataclasses import replace
from itertools import zip_longest

from kubehop.cli.servers import finder, pointed
from kubehop.dns.lookup.drive import Step
from kubehop.dns.message import Reply
from kubehop.dns.resolv import hosts as hosts_file
from kubehop.dnsclient.live import ask
from kubehop.trace.lookups import Answered, Prediction

DIGITS = 2
"""Of seconds: what counts is waiting for silence, not the network's pace."""


def asked(predicted: Prediction, server: str | None) -> Prediction:
    """The lookup as it went from this host; a note says where it left the prediction.

    `server` is asked instead of the nameservers in the files. Raises UsageError for what is no
    server, ClusterError where nothing can be sent.
    """
    files, resolver = predicted.files, predicted.resolver
    conf = pointed(resolver.parse(files.resolv_conf, files.hostname), server)
    hosts = hosts_file.parse(files.hosts)
    lookup = ask(resolver.start(predicted.name, conf, hosts), finder(server))
    return replace(
        predicted,
        steps=tuple(Answered(_rounded(step), "", "") for step in lookup.steps),
        outcome=lookup.outcome,
        seconds=round(lookup.seconds, DIGITS),
        nameservers=(),
        advice=(),
        notes=("asked from this host, not from the pod", _difference(predicted, lookup.steps)),
    )


def _rounded(step: Step) -> Step:
    return replace(step, at=round(step.at, DIGITS))


def _difference(predicted: Prediction, seen: tuple[Step, ...]) -> str:
    """The first query at which the network and the prediction part."""
    for number, (expected, got) in enumerate(zip_longest(predicted.steps, seen), 1):
        theirs = _told(got) if got else "no such query"
        ours = _told(expected.step) if expected else "no such query"
        if ours != theirs:
            return f"differs from the prediction at query {number}: {theirs}, not {ours}"
    return "every query and its answer is as predicted"


def _told(step: Step) -> str:
    """`whoami.default.svc.cluster.local. A NXDOMAIN`: without data, which may well be unknown."""
    question, result = step.query.question, step.result
    kind = result.kind.value if isinstance(result, Reply) else result.value
    return f"{question.name} {question.type} {kind}"
