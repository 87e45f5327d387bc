"""Every plugin of CoreDNS, in the order in which it runs them, and its parser.

Source: `plugin.cfg` of CoreDNS 1.13. From 1.14 on, `rewrite` and `autopath` run before `acl`
and `cache`; kubehop keeps the older order.
"""

from kubehop.dns.corefile.plugins import (
    cache,
    forward,
    hosts,
    kubernetes,
    others,
    rewrite,
    template,
)
from kubehop.dns.corefile.plugins.others import simple
from kubehop.dns.corefile.setup import Parser

ORDER: tuple[str, ...] = (
    *("root", "metadata", "geoip", "cancel", "tls", "proxyproto", "quic", "grpc_server"),
    *("https", "https3", "timeouts", "multisocket", "reload", "nsid", "bufsize", "bind"),
    *("debug", "trace", "ready", "health", "pprof", "shed", "prometheus", "errors", "log"),
    *("dnstap", "local", "dns64", "acl", "any", "chaos", "loadbalance", "tsig", "cache"),
    *("rewrite", "header", "dnssec", "autopath", "minimal", "template", "transfer", "hosts"),
    *("route53", "azure", "clouddns", "k8s_external", "kubernetes", "file", "auto"),
    *("secondary", "etcd", "loop", "forward", "grpc", "erratic", "whoami", "on", "sign"),
    *("view", "nomad"),
)
"""The directives of a server block, first to last (rule: the order in the file is nothing)."""

HARMLESS = frozenset(
    {
        *("root", "metadata", "geoip", "cancel", "tls", "proxyproto", "quic", "grpc_server"),
        *("https", "https3", "timeouts", "multisocket", "reload", "nsid", "bind", "debug"),
        *("trace", "ready", "health", "pprof", "shed", "prometheus", "errors", "log"),
        *("dnstap", "chaos", "loadbalance", "loop", "on", "sign", "bufsize"),
    }
)
"""Plugins that change neither what is answered nor what is asked."""

PARSERS: dict[str, Parser] = {
    "kubernetes": kubernetes.parse,
    "forward": forward.parse,
    "cache": cache.parse,
    "hosts": hosts.parse,
    "rewrite": rewrite.parse,
    "template": template.parse,
    "transfer": others.parse_transfer,
    "autopath": others.parse_autopath,
    "health": simple(others.an_address, others.health_option),
    "ready": simple(others.an_address, others.ready_option, once=True),
    "reload": simple(others.reload_times),
    "errors": simple(others.errors_arguments, others.errors_option, once=True),
    "log": simple(option=others.log_option),
    "loop": simple(others.at_most(0), once=True),
    "loadbalance": simple(others.loadbalance_policy, others.loadbalance_option),
    "bind": simple(others.bind_arguments, others.bind_option),
    "minimal": simple(others.at_most(0)),
    "any": simple(),
}

MODELLED = HARMLESS | frozenset(PARSERS)


def parser(name: str) -> Parser:
    """The parser of a plugin of ORDER; one that is not modelled is kept, and says so."""
    known = PARSERS.get(name)
    if known is not None:
        return known
    return simple() if name in HARMLESS else simple(note="this plugin is not modelled")
