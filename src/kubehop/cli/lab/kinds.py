"""Kinds as kubectl's users write them: `deploy`, `svc`, `pods`."""

from kubehop.model.errors import UsageError

_SHORT = {
    "cm": "ConfigMap",
    "cj": "CronJob",
    "deploy": "Deployment",
    "ds": "DaemonSet",
    "ep": "Endpoints",
    "netpol": "NetworkPolicy",
    "no": "Node",
    "ns": "Namespace",
    "po": "Pod",
    "rs": "ReplicaSet",
    "sts": "StatefulSet",
    "svc": "Service",
}
CLUSTER_SCOPED = ("Namespace", "Node")


def kind_named(word: str) -> str:
    """The kind; raises UsageError for a word that means none."""
    from kubehop.model.kinds import KINDS

    if word in _SHORT:
        return _SHORT[word]
    for kind, found in KINDS.items():
        if word.lower() in (kind.lower(), found.plural.lower()):
            return kind
    raise UsageError(f"no kind {word!r}: one of {', '.join(sorted(KINDS))}")


def object_named(words: tuple[str, ...], namespace: str) -> tuple[str, str, str]:
    """Kind, namespace and name of `KIND NAME` or `KIND/NAME`; raises UsageError."""
    parts = words[0].split("/") if len(words) == 1 else list(words)
    if len(parts) != 2 or not all(parts):
        raise UsageError(f"{' '.join(words)!r}: expected KIND NAME or KIND/NAME")
    kind = kind_named(parts[0])
    return kind, "" if kind in CLUSTER_SCOPED else namespace, parts[1]
