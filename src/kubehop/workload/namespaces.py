"""Namespaces that must exist: the four of every cluster, and those that objects are in."""

from kubehop.model.cluster import Cluster
from kubehop.model.meta import ObjectMeta
from kubehop.model.node import Namespace
from kubehop.workload.draft import Draft

ALWAYS = ("default", "kube-node-lease", "kube-public", "kube-system")
"""Made by the API server itself (pkg/controlplane/controller/systemnamespaces)."""


def namespaces_step(draft: Draft) -> Draft:
    """Draft with every namespace that is in use; nothing to add where an API listed them all.

    No assumption is printed: an object in a namespace proves it, and the rest always exist.
    """
    if "Namespace" in draft.inventory.complete:
        return draft
    known = {namespace.name: namespace for namespace in draft.cluster.namespaces}
    for name in (*ALWAYS, *_in_use(draft.cluster)):
        if name not in known:
            known[name] = Namespace(metadata=ObjectMeta(name=name))
    return draft.having(namespaces=tuple(known[name] for name in sorted(known)))


def _in_use(cluster: Cluster) -> set[str]:
    every = (cluster.pods, cluster.services, cluster.slices, cluster.policies, cluster.config_maps)
    return {found.namespace for kind in every for found in kind if found.namespace}
