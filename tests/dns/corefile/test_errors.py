"""Errors as CoreDNS reports them, with file and line."""

import pytest

from kubehop.dns.corefile import parse
from kubehop.model.errors import InputError

P = "Error during parsing"
ONCE = "this plugin can only be used once per Server Block"


def block(body: str) -> str:
    return f". {{\n{body}\n}}"


def kubernetes(option: str) -> str:
    return block(f"kubernetes cluster.local {{\n{option}\n}}")


def forward(option: str) -> str:
    return block(f"forward . 10.0.0.1 {{\n{option}\n}}")


ERRORS = [
    # The file
    (". {\n errors\n foo\n}", f"Corefile:3 - {P}: Unknown directive 'foo'"),
    (". {\n errors", "Corefile:2 - Syntax error: Unexpected token 'errors', expecting '}'"),
    (". {\n log {\n", f"Corefile:2 - {P}: Unexpected EOF"),
    (". {\n log }\n}", f"Corefile:2 - {P}: Unexpected '}}' because no matching opening brace"),
    ("a,", f"Corefile:1 - {P}: Unexpected EOF"),
    ("a, {\n}", f"Corefile:1 - {P}: Expected another address but had '{{' - check for extra comma"),
    ("(a) {\n}\n(a) {\n}", f"Corefile:3 - {P}: redeclaration of previously declared snippet a"),
    ("(a) {\nlog", "Corefile:2 - Syntax error: Unexpected token 'log', expecting '}'"),
    ("(a)\nlog", "Corefile:2 - Syntax error: Unexpected token 'log', expecting '{'"),
    (
        ". {\nimport\n}",
        f"Corefile:2 - {P}: Wrong argument count or unexpected line ending after 'import'",
    ),
    (
        ". {\nimport a b\n}",
        f"Corefile:2 - {P}: Import takes only one argument (glob pattern or file)",
    ),
    (". {\nimport nosuch\n}", f"Corefile:2 - {P}: File to import not found: nosuch"),
    (
        ". {\nimport a*b*\n}",
        f"Corefile:2 - {P}: Glob pattern may only contain one wildcard (*), but has others: a*b*",
    ),
    # Keys
    (
        "a: {\n}",
        'Corefile:1: error inspecting server blocks: expecting data after last colon: "a:"',
    ),
    (
        "a..b {\n}",
        "Corefile:1: error inspecting server blocks: zone is not a valid domain name: a..b",
    ),
    (":53 {\n}", "Corefile:1: error inspecting server blocks: zone is not a valid domain name: "),
    ("a:99999 {\n}", "Corefile:1: address tcp/99999: invalid port"),
    (". {\n}\n\n.:53 {\n}", "Corefile:4: cannot serve dns://.:53 - it is already defined"),
    ("a a {\n}", "Corefile:1: cannot serve dns://a.:53 - it is already defined"),
    (
        ". {\nbind 10.0.0.1\n}\n. {\n}",
        "Corefile:4: cannot serve dns://.:53 - zone overlap listener capacity "
        "with dns://.:53 on 10.0.0.1",
    ),
    # kubernetes
    (kubernetes("foo"), f"plugin/kubernetes: Corefile:3 - {P}: unknown property 'foo'"),
    (
        kubernetes("pods"),
        f"plugin/kubernetes: Corefile:3 - {P}: "
        "Wrong argument count or unexpected line ending after 'pods'",
    ),
    (
        kubernetes("pods yes"),
        "Corefile:3: plugin/kubernetes: wrong value for pods: yes,  "
        "must be one of: disabled, verified, insecure",
    ),
    (
        kubernetes("ttl 4000"),
        f"plugin/kubernetes: Corefile:3 - {P}: ttl must be in range [0, 3600]: 4000",
    ),
    (
        kubernetes("ttl x"),
        'Corefile:3: plugin/kubernetes: strconv.Atoi: parsing "x": invalid syntax',
    ),
    (kubernetes("ignore x"), "Corefile:3: plugin/kubernetes: unable to parse ignore value: 'x'"),
    (
        kubernetes("labels a in b"),
        "Corefile:3: plugin/kubernetes: unable to parse label selector value: 'a in b': "
        "couldn't parse the selector string \"a in b\": at 'a in b'",
    ),
    (
        kubernetes("namespaces a\nnamespace_labels b"),
        f"plugin/kubernetes: Corefile:5 - {P}: namespaces and namespace_labels cannot both be set",
    ),
    (
        kubernetes("noendpoints\nzonal"),
        f"plugin/kubernetes: Corefile:5 - {P}: "
        "zonal requires the endpoint cache; remove noendpoints",
    ),
    (
        kubernetes("startup_timeout 5"),
        "Corefile:3: plugin/kubernetes: failed to parse startup_timeout: 5, "
        'time: missing unit in duration "5"',
    ),
    (
        kubernetes("multicluster other.local"),
        f"plugin/kubernetes: Corefile:4 - {P}: is not authoritative for the multicluster zone "
        "other.local. (authoritative zones: [cluster.local.])",
    ),
    (
        block("kubernetes 10.0.0.0/8"),
        "Corefile:2: plugin/kubernetes: non-reverse zone name must be used",
    ),
    (block("kubernetes a\nkubernetes b"), f"Corefile:3: plugin/kubernetes: {ONCE}"),
    # forward
    (
        block("forward ."),
        f"plugin/forward: Corefile:2 - {P}: "
        "Wrong argument count or unexpected line ending after '.'",
    ),
    (
        block("forward . {\n}"),
        f"plugin/forward: Corefile:2 - {P}: "
        "Wrong argument count or unexpected line ending after '.'",
    ),
    (
        block("forward . dns.google"),
        'Corefile:2: plugin/forward: not an IP address or file: "dns.google"',
    ),
    (
        block("forward . grpc://10.0.0.1"),
        "Corefile:2: plugin/forward: 'grpc' is not supported as a destination protocol in forward: "
        "grpc://10.0.0.1",
    ),
    (forward("foo"), f"plugin/forward: Corefile:3 - {P}: unknown property 'foo'"),
    (forward("policy best"), f"plugin/forward: Corefile:3 - {P}: unknown policy 'best'"),
    (
        forward("max_fails -1"),
        'Corefile:3: plugin/forward: strconv.ParseUint: parsing "-1": invalid syntax',
    ),
    (
        forward("max_concurrent -1"),
        "Corefile:3: plugin/forward: max_concurrent can't be negative: -1",
    ),
    (
        forward("health_check 1s foo"),
        "Corefile:3: plugin/forward: health_check: unknown option foo",
    ),
    (forward("expire 5"), 'Corefile:3: plugin/forward: time: missing unit in duration "5"'),
    (forward("next WHAT"), "Corefile:3: plugin/forward: WHAT is not a valid rcode"),
    (forward("failover NOERROR"), "Corefile:3: plugin/forward: NoError cannot be used in failover"),
    (
        block(f"forward . {' '.join(f'10.0.0.{n}' for n in range(16))}"),
        "Corefile:2: plugin/forward: more than 15 TOs configured: 16",
    ),
    # cache
    (block("cache 0"), "Corefile:2: plugin/cache: cache TTL can not be zero or negative: 0"),
    (block("cache\ncache"), f"Corefile:3: plugin/cache: {ONCE}"),
    (
        block("cache {\nfoo\n}"),
        f"plugin/cache: Corefile:3 - {P}: "
        "Wrong argument count or unexpected line ending after 'foo'",
    ),
    (
        block("cache {\ndisable all\n}"),
        'Corefile:3: plugin/cache: cache type for disable must be "success" or "denial"',
    ),
    (
        block("cache {\nservfail 10m\n}"),
        "Corefile:3: plugin/cache: caching SERVFAIL responses over 5 minutes is not permitted",
    ),
    (
        block("cache {\nserve_stale 1h later\n}"),
        "Corefile:3: plugin/cache: invalid value for serve_stale refresh mode: later",
    ),
    # hosts
    (block("hosts {\nttl 0\n}"), f"plugin/hosts: Corefile:3 - {P}: ttl provided is invalid"),
    (block("hosts {\nttl x\n}"), f"plugin/hosts: Corefile:3 - {P}: ttl needs a number of second"),
    (
        block("hosts {\nfallthrough\n10.0.0.1 a\n}"),
        f"plugin/hosts: Corefile:4 - {P}: unknown property '10.0.0.1'",
    ),
    # rewrite
    (block("rewrite"), "Corefile:2: plugin/rewrite: no rule type specified for rewrite"),
    (block("rewrite foo a b"), 'Corefile:2: plugin/rewrite: invalid rule type "foo"'),
    (block("rewrite type A FOO"), 'Corefile:2: plugin/rewrite: invalid type "FOO"'),
    (block("rewrite class IN XX"), 'Corefile:2: plugin/rewrite: invalid class "XX"'),
    (block("rewrite name a"), "Corefile:2: plugin/rewrite: too few arguments for a name rule"),
    (
        block("rewrite name regex ( b"),
        "Corefile:2: plugin/rewrite: invalid regex matching pattern: (",
    ),
    (
        block("rewrite name regex a {1}"),
        "Corefile:2: plugin/rewrite: the rewrite regex pattern ({1}) uses more subexpressions "
        "than its corresponding matching regex pattern (a)",
    ),
    (block("rewrite ttl a 9-5"), "Corefile:2: plugin/rewrite: invalid TTL '9-5' for a ttl rule"),
    # template, and plugins of one line
    (block("template XX A"), f"plugin/template: Corefile:2 - {P}: invalid query class XX"),
    (
        block("template IN A {\nanswer {{\n}"),
        f"plugin/template: Corefile:3 - {P}: could not compile template: {{{{, "
        "template: unclosed action: {{",
    ),
    (
        block("template IN A {\nrcode OK\n}"),
        f"plugin/template: Corefile:3 - {P}: unknown rcode OK",
    ),
    (
        block("loop x"),
        f"plugin/loop: Corefile:2 - {P}: Wrong argument count or unexpected line ending after 'x'",
    ),
    (
        block("reload 1s"),
        "Corefile:2: plugin/reload: interval value must be greater or equal to 2s",
    ),
    (block("errors file"), f"plugin/errors: Corefile:2 - {P}: invalid log file: file"),
    (
        block("health {\nlameduck x\n}"),
        "Corefile:3: plugin/health: unable to parse lameduck duration value: 'x' : "
        'time: invalid duration "x"',
    ),
    (block("ready 8181"), "Corefile:2: plugin/ready: address 8181: missing port in address"),
    (block("loadbalance best"), "Corefile:2: plugin/loadbalance: unknown policy: best"),
    (block("transfer {\n}"), f"plugin/transfer: Corefile:3 - {P}: 'to' is required"),
    (
        block("transfer {\nto here\n}"),
        "Corefile:3: plugin/transfer: must specify an IP address: `here'",
    ),
    (block("autopath"), "Corefile:2: plugin/autopath: no resolv-conf specified"),
    (block("log {\nclass foo\n}"), 'Corefile:3: plugin/log: failed to parse response class: "foo"'),
    (block("bind"), "Corefile:2: plugin/bind: at least one address or interface name is expected"),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_error(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        parse(text)
    assert str(error.value) == message


def test_a_resolv_conf_without_servers_is_no_upstream() -> None:
    with pytest.raises(InputError, match="plugin/forward: no nameservers found"):
        parse(block("forward . /etc/resolv.conf"), files={"/etc/resolv.conf": "search a"})


def test_the_first_plugin_of_all_blocks_is_set_up_first() -> None:
    text = "a {\nforward . x\n}\nb {\ncache 0\n}"
    with pytest.raises(InputError, match="plugin/cache"):
        parse(text)


def test_the_file_has_the_name_that_was_given() -> None:
    with pytest.raises(InputError, match=r"^/etc/coredns/Corefile:1 - "):
        parse("a, {", "/etc/coredns/Corefile")
