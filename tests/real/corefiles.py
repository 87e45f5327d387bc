"""Corefiles to try: those of the shared cases' kinds, and options mixed from a seed.

`{api}` stands for the API server's URL and `{upstream}` for a resolver's address and port.
Each listens on port 53 of every address.
"""

from random import Random

_REVERSE = "in-addr.arpa ip6.arpa"
_FORWARD = "forward . {upstream}"


def _block(*lines: str, zone: str = ".:53") -> str:
    return f"{zone} {{\n" + "".join(f"    {line}\n" for line in ("errors", *lines)) + "}\n"


def _kubernetes(*options: str, zones: str = f"cluster.local {_REVERSE}") -> str:
    lines = "".join(f"\n        {option}" for option in ("endpoint {api}", *options))
    return f"kubernetes {zones} {{{lines}\n    }}"


def _simple(*options: str, zones: str = f"cluster.local {_REVERSE}") -> str:
    return _block(_kubernetes(*options, zones=zones), _FORWARD)


KUBEADM = _block(
    "health {\n       lameduck 1s\n    }",
    "ready",
    _kubernetes("pods insecure", f"fallthrough {_REVERSE}", "ttl 30"),
    "prometheus :9153",
    "forward . {upstream} {\n       max_concurrent 1000\n    }",
    """cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }""",
    "loop",
    "reload",
    "loadbalance",
)

COREFILES = {
    "kubeadm": KUBEADM,
    "plain": _simple(zones="cluster.local"),
    "verified": _simple("pods verified"),
    "endpoint_pod_names": _simple("pods insecure", "endpoint_pod_names"),
    "namespaces": _simple("namespaces default demo", "pods insecure"),
    "ignore_empty": _simple("ignore empty_service", "ttl 0"),
    "noendpoints": _simple("noendpoints", "ttl 3600"),
    "fallthrough": _simple("fallthrough", "pods insecure"),
    "labels": _simple("labels tier=a", "pods verified"),
    "other_zone": _simple("pods insecure", zones=f"cluster.home {_REVERSE}"),
    "two_zones": _simple("pods verified", zones="cluster.local k8s.example 10.in-addr.arpa"),
    "reverse_cidr": _simple(zones="cluster.local 10.43.0.0/16"),
    "no_forward": _block(_kubernetes("pods insecure", f"fallthrough {_REVERSE}")),
    "only_cluster": _block(_kubernetes(zones=""), zone="cluster.local:53"),
    "stub": _block(_FORWARD, zone="corp.example example.com:53") + _simple(),
    "rewrite": _block(
        "rewrite name exact shop.example. web.default.svc.cluster.local.",
        r"rewrite name regex (.*)\.corp\.example\. {1}.default.svc.cluster.local. answer auto",
        "rewrite name suffix .test. .svc.cluster.local.",
        _kubernetes("pods insecure"),
        _FORWARD,
    ),
    "hosts": _block(
        """hosts {
        192.0.2.1 web.default.svc.cluster.local box.example
        2001:db8::1 box.example
        fallthrough
    }""",
        _kubernetes(),
        _FORWARD,
    ),
    "template": _block(
        """template IN AAAA . {
        rcode NOERROR
    }""",
        """template IN A corp.example {
        match ^([0-9-]+)[.]corp[.]example[.]$
        answer "{{ .Name }} 60 IN A 192.0.2.9"
        fallthrough
    }""",
        _kubernetes("pods insecure"),
        _FORWARD,
    ),
    "minimal": _block("minimal", "any", _kubernetes("pods verified"), _FORWARD),
    "loadbalance": _block("loadbalance round_robin", _kubernetes(), _FORWARD),
}
"""By what each is about."""


def mixed(seed: int) -> str:
    """Options of the kubernetes plugin in any combination."""
    random = Random(seed)
    options = [
        f"pods {random.choice(('disabled', 'insecure', 'verified'))}",
        f"ttl {random.choice((0, 1, 5, 30, 300, 301, 3600))}",
        *random.sample(("endpoint_pod_names", "noendpoints", "ignore empty_service"), 1),
        *random.sample(("namespaces default a svc", "labels tier=b", "labels tier notin (a)"), 1),
        random.choice(("fallthrough", f"fallthrough {_REVERSE}", "fallthrough svc.cluster.local")),
    ]
    kept = [option for option in options if random.random() < 0.6]
    plugins = [_kubernetes(*kept), _FORWARD, *random.sample(("loadbalance", "minimal", "any"), 1)]
    random.shuffle(plugins)
    return _block(*plugins)
