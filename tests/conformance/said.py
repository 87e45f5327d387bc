"""What a recorded program said: the addresses it printed, or how it failed."""

import ipaddress
import re

from kubehop.dns.lookup.protocol import Status
from tests.conformance.outcome import Case

Words = tuple[tuple[str, Status], ...]
"""Patterns of its output, the first that matches counts."""

_NUMBERS: Words = (
    (r"\bERR -2 |\[Errno -2\]|h_errno=1\b", Status.NOT_FOUND),
    (r"\bERR -5 |\[Errno -5\]|h_errno=4\b", Status.NO_DATA),
    (r"\bERR -3 |\[Errno -3\]|h_errno=2\b", Status.TRY_AGAIN),
    (r"\bERR -4 |\[Errno -4\]|h_errno=3\b", Status.FAILED),
)
_GLIBC: Words = (
    (r"Name or service not known", Status.NOT_FOUND),
    (r"No address associated with hostname", Status.NO_DATA),
    (r"Temporary failure in name resolution", Status.TRY_AGAIN),
)
_NODE: Words = (
    (r"(\b|_)ENOTFOUND\b", Status.NOT_FOUND),
    (r"(\b|_)ENODATA\b", Status.NO_DATA),
    (r"(\b|_)(EAI_AGAIN|ETIMEOUT|ESERVFAIL|ECONNREFUSED)\b", Status.TRY_AGAIN),
    (r"(\b|_)(EREFUSED|EBADNAME|EFORMERR)\b", Status.FAILED),
)
_GO: Words = (
    (r"no such host", Status.NOT_FOUND),
    (r"misbehaving|i/o timeout|connection refused", Status.TRY_AGAIN),
)
_CARES: Words = (
    (r"Domain name not found", Status.NOT_FOUND),
    (r"answer with no data", Status.NO_DATA),
    (r"general failure|Timeout while|Could not contact", Status.TRY_AGAIN),
    (r"refused query|Misformatted", Status.FAILED),
)
_DNSPYTHON: Words = (
    (r"NoAnswer|does not contain an answer", Status.NO_DATA),
    (r"NoNameservers|All nameservers failed|Lifetime|lifetime|Timeout", Status.TRY_AGAIN),
    (r"NXDOMAIN|does not exist|query names exist", Status.NOT_FOUND),
)
_BIND: Words = (
    (r"no servers could be reached", Status.TRY_AGAIN),
    (r"status: NXDOMAIN|not found: 3\(|can't find \S+: NXDOMAIN", Status.NOT_FOUND),
    (r"status: SERVFAIL|not found: 2\(|can't find \S+: SERVFAIL", Status.TRY_AGAIN),
    (r"status: REFUSED|not found: 5\(|can't find \S+: REFUSED|parse of", Status.FAILED),
    (r"status: NOERROR|No answer|^\s*$|has no \w+ record|^Name:", Status.NO_DATA),
    (r"^Server:\s+\S+\nAddress:\s+\S+\n\s*$", Status.NO_DATA),
)
_BUSYBOX: Words = (
    (r"connection timed out", Status.TRY_AGAIN),
    (r"can't find \S+: (?!NXDOMAIN|No answer)\w+", Status.TRY_AGAIN),
    (r"can't find \S+: NXDOMAIN", Status.NOT_FOUND),
    (r"No answer|^Server:", Status.NO_DATA),
    (r"bad address", Status.FAILED),
)
_FAMILIES: tuple[tuple[str, Words], ...] = (
    (r"glibc-|musl-|python-", _NUMBERS),
    (r"java-", _GLIBC),
    (r"node-", _NODE),
    (r"go-", _GO),
    (r"c-ares-", (*_CARES, *_NODE)),
    (r"dnspython-", _DNSPYTHON),
    (r"dig|host|nslookup-", _BIND),
    (r"busybox-", _BUSYBOX),
)
_ONE_WORD = r"node-\d+-lookup|musl-getaddrinfo-1\.(1\.|2\.[0-3])"
"""Those who say the same for NXDOMAIN and NODATA."""
_NOTHING: frozenset[Status] = frozenset()


def statuses(case: Case) -> frozenset[Status]:
    """How a program without addresses failed: all that its words can mean, none if unknown."""
    text = case["stdout"] + case["stderr"]
    if case["resolver"].startswith("busybox-nslookup-1.28"):
        return frozenset(Status) if "can't resolve" in text else _NOTHING
    if case["resolver"] in ("host", "nslookup-bind9") and case["exit"] == 0:
        # The first query was answered: what the others got is said and changes nothing.
        return frozenset({Status.NO_DATA})
    words = next((w for family, w in _FAMILIES if re.match(family, case["resolver"])), ())
    found = next((s for pattern, s in words if re.search(pattern, text)), None)
    if found is None:
        return _NOTHING
    if found is Status.NOT_FOUND and re.match(_ONE_WORD, case["resolver"]):
        return frozenset({found, Status.NO_DATA})
    return frozenset({found})


def cut(case: Case) -> bool:
    """True if the recording kept only the beginning of a long output."""
    return len(case["stdout"]) > 800 and not case["stdout"].endswith("\n")


def addresses(case: Case) -> list[str]:
    """The addresses that a program printed as its answer, canonical."""
    text, resolver = case["stdout"], case["resolver"]
    if resolver.startswith("dig"):
        found = re.findall(r"\sIN\s+(?:A|AAAA)\t(\S+)", text)
    elif resolver == "host":
        found = re.findall(r" has (?:IPv6 )?address (\S+)", text)
    elif resolver.startswith(("busybox", "nslookup")):
        answer = re.split(r"^Server:.*\nAddress[^\n]*\n", text, flags=re.MULTILINE)[-1]
        found = re.findall(r"^Address[^:]*: +(\S+)", answer, re.MULTILINE)
    elif resolver.startswith("dnspython") and any(re.search(p, text) for p, _ in _DNSPYTHON):
        # Its messages name the servers.
        found = []
    elif resolver.startswith("go-"):
        found = re.findall(r"[0-9a-fA-F:.]+", "".join(re.findall(r"^\S+ \[([^]]*)", text)))
    else:
        found = re.findall(r"[0-9a-fA-F:.]+", text)
    return [address for address in map(_address, found) if address]


def _address(text: str) -> str:
    if text.count(".") != 3 and text.count(":") < 2:
        return ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def own_time(case: Case) -> float:
    """What the program measured itself if it says so, in seconds: without its start."""
    said = re.match(r"(\d+(?:\.\d+)?)(ms|s) ", case["stdout"])
    if said is None:
        elapsed: float = case["elapsed_s"]
        return elapsed
    return float(said[1]) / (1000 if said[2] == "ms" else 1)
