"""Which right is missing, asked before it is needed: SelfSubjectAccessReview."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from kubehop.live.api import Refused
from kubehop.model.errors import ClusterError
from kubehop.remote.requests import Remote

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True)
class Need:
    """A verb on a resource; `resource` may be "pods/exec"; no namespace: in the whole cluster."""

    verb: str
    resource: str
    namespace: str = ""
    group: str = ""

    @property
    def place(self) -> str:
        return f"namespace {self.namespace}" if self.namespace else "the cluster"

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        return f"{self.verb} on {self.resource}{group} in {self.place}"


class MissingRightsError(ClusterError):
    """Rights that are not there; the message is the rule that would give them."""

    def __init__(self, purpose: str, needs: Sequence[Need]) -> None:
        super().__init__(f"may not {purpose}: {named(needs)}")
        self.needs = tuple(needs)


class _Verdict(msgspec.Struct):
    allowed: bool = False
    denied: bool = False


class _Review(msgspec.Struct):
    status: _Verdict = msgspec.field(default_factory=_Verdict)


def missing(remote: Remote, needs: Iterable[Need]) -> tuple[Need, ...]:
    """Those that the server says are not allowed.

    Everybody may ask this (ClusterRole system:basic-user); where even that is refused nothing is
    said to be missing, and the server refuses by itself what is asked of it.
    """
    return tuple(need for need in needs if not _allowed(remote, need))


def require(remote: Remote, purpose: str, needs: Iterable[Need]) -> None:
    """Raise MissingRightsError if a right for `purpose` ("read pod web/a") is missing."""
    lacking = missing(remote, needs)
    if lacking:
        raise MissingRightsError(purpose, lacking)


def _allowed(remote: Remote, need: Need) -> bool:
    answer = remote.send("POST", _REVIEWS, _review(need))
    if isinstance(answer, Refused):
        return True
    try:
        verdict = msgspec.json.decode(answer, type=_Review).status
    except msgspec.MsgspecError as error:
        raise remote.error("POST", _REVIEWS, f"answered what cannot be read: {error}") from error
    return verdict.allowed and not verdict.denied


def _review(need: Need) -> dict[str, object]:
    resource, _, subresource = need.resource.partition("/")
    attributes = {
        "verb": need.verb,
        "group": need.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": need.namespace,
    }
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }


def named(needs: Sequence[Need]) -> str:
    """`needs Role in namespace web: {apiGroups: [""], resources: [pods/exec], verbs: [create]}`."""
    return "needs " + "; ".join(
        f"{'Role in namespace ' + place if place else 'ClusterRole'}: {_rules(needs, place)}"
        for place in dict.fromkeys(need.namespace for need in needs)
    )


def _rules(needs: Sequence[Need], namespace: str) -> str:
    verbs: dict[tuple[str, str], list[str]] = {}
    for need in needs:
        if need.namespace == namespace:
            verbs.setdefault((need.group, need.resource), []).append(need.verb)
    return ", ".join(
        f'{{apiGroups: ["{group}"], resources: ["{resource}"], verbs: [{_quoted(which)}]}}'
        for (group, resource), which in verbs.items()
    )


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)
