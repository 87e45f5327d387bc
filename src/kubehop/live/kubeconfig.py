"""Which kubeconfig and which context: found by kubectl's rules, parsed by the official client.

Two rules of kubectl that the official client does not keep are kept here: of several files the
*first* that sets `current-context` wins, and a context must be there with its user and cluster.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubehop.model.errors import ClusterError

DEFAULT = "~/.kube/config"


@dataclass(frozen=True, slots=True)
class Context:
    """A context and the kubeconfig user behind it, as written.

    `merged` is the official client's merge of all files, which its loader takes.
    """

    name: str
    namespace: str
    proxy: str | None
    user: Mapping[str, object]
    merged: Any


def load(context: str | None, kubeconfig: str | None) -> Context | None:
    """The named or current context of `kubeconfig`, else of KUBECONFIG, else of ~/.kube/config.

    None when there is no file at all. Raises ClusterError when a file cannot be read, a file
    that was named is absent, or the context, its cluster or its user is missing.
    """
    paths = _paths(kubeconfig)
    with explained(f"kubeconfig {paths}"):
        from kubernetes.config.kube_config import KubeConfigMerger  # 0.15 s: only when needed

        files = KubeConfigMerger(paths)  # type: ignore[no-untyped-call]
        if files.config is None:
            return None
        return _select(files.config, context or _current(files.config_files), paths)


def _paths(kubeconfig: str | None) -> str:
    if kubeconfig is not None and not Path(kubeconfig).expanduser().is_file():
        raise ClusterError(f"kubeconfig {kubeconfig}: no such file")
    return kubeconfig or os.environ.get("KUBECONFIG") or DEFAULT


def _current(files: Mapping[str, Mapping[str, Any]]) -> str:
    """`current-context` of the first file that sets it."""
    return next((text for file in files.values() if (text := file.get("current-context"))), "")


def _select(merged: Any, name: str, paths: str) -> Context:
    contexts = _entries(merged, "contexts", "context")
    known = f"it has: {', '.join(sorted(contexts)) or 'none'}"
    if not name:
        raise ClusterError(f"kubeconfig {paths} sets no current context: use --context ({known})")
    if name not in contexts:
        raise ClusterError(f'kubeconfig {paths} has no context "{name}"; {known}')
    chosen = contexts[name]
    cluster, user = chosen.get("cluster", ""), chosen.get("user", "")
    place = _entries(merged, "clusters", "cluster").get(cluster, {})
    if not place.get("server"):
        raise ClusterError(f'context "{name}": no server for cluster "{cluster}" in {paths}')
    users = _entries(merged, "users", "user")
    if user and user not in users:
        raise ClusterError(f'context "{name}": no user "{user}" in {paths}')
    return Context(
        name=name,
        namespace=chosen.get("namespace") or "default",
        proxy=place.get("proxy-url"),
        user=users.get(user, {}),
        merged=merged,
    )


def _entries(merged: Any, section: str, inner: str) -> dict[str, Mapping[str, Any]]:
    """The named entries of a section; an entry without content is an empty one."""
    return {node["name"]: node.value.get(inner) or {} for node in merged.value[section]}


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what the official loader raises into a ClusterError of one line about `what`.

    It indexes into whatever YAML it was given, so that any lookup or type error is possible.
    """
    import yaml
    from kubernetes.config import ConfigException

    try:
        yield
    except (ConfigException, yaml.YAMLError, OSError, ValueError) as error:
        raise ClusterError(f"{what}: {safe(str(error))}") from error
    except (LookupError, TypeError, AttributeError) as error:
        raise ClusterError(
            f"{what}: not in the form of a kubeconfig ({safe(str(error))})"
        ) from error


def safe(problem: str) -> str:
    """`problem` on one line, without the entry that the official client may quote whole.

    Its "Expected key K in FILE/{...}" prints a user with token and keys.
    """
    return re.sub(r" in \S*\{.*", "", " ".join(problem.split()))
