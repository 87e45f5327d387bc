"""What is wrong with an input, in one line that says where."""

import json

import pytest

from kubehop.model.errors import InputError
from kubehop.source.read import read

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports:\n  - port: %s\n"
HELM = " (a Helm template? render it first: helm template ... | kubehop -f -)"


def refusal(content: str | bytes, name: str = "f") -> str:
    data = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(InputError) as error:
        read([(name, data)])
    line = str(error.value)
    assert len(line.splitlines()) == 1
    assert len(line) < 1000
    assert line.startswith(f"{name}: ")
    return line.removeprefix(f"{name}: ")


def a_list(*items: object) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def a_service(**fields: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, **fields}


def a_pod(**metadata: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", **metadata}}


PORT = "Service default/web: spec.ports[0].port: "
RANGE = "expected int between 1 and 65535, got"

FIELDS: list[tuple[str, str]] = [
    # types, ranges and choices
    (SERVICE % "http", f'{PORT}{RANGE} str "http"'),
    (SERVICE % '"80"', f'{PORT}{RANGE} str "80"'),
    (SERVICE % "70000", f"{PORT}{RANGE} 70000"),
    (SERVICE % "0", f"{PORT}{RANGE} 0"),
    (SERVICE % "yes", f"{PORT}{RANGE} bool true"),
    (SERVICE % "80.5", f"{PORT}{RANGE} float 80.5"),
    (SERVICE % "1:30", f'{PORT}{RANGE} str "1:30"'),
    (SERVICE % ".nan", f'{PORT}{RANGE} str ".nan"'),
    (SERVICE % ("9" * 5000), f'{PORT}{RANGE} str "{"9" * 59}...'),
    (SERVICE % "[]", f"{PORT}{RANGE} list"),
    (SERVICE % "{}", f"{PORT}{RANGE} object"),
    (SERVICE % "", f"{PORT}required, but missing"),
    (
        SERVICE % "80\n    protocol: tcp",
        'Service default/web: spec.ports[0].protocol: expected "SCTP", "TCP" or "UDP", got "tcp"',
    ),
    (
        SERVICE % "80\n    protocol: 6",
        'Service default/web: spec.ports[0].protocol: expected "SCTP", "TCP" or "UDP", got int 6',
    ),
    (
        SERVICE % "80\n    targetPort: []",
        "Service default/web: spec.ports[0].targetPort: expected int or str, got list",
    ),
    (
        json.dumps(a_service(spec={"ports": {}})),
        "Service default/web: spec.ports: expected list, got object",
    ),
    (
        json.dumps(a_service(spec={"ports": [None]})),
        "Service default/web: spec.ports[0]: expected object, got null",
    ),
    (
        json.dumps(a_service(spec=[])),
        "Service default/web: spec: expected object, got list",
    ),
    (
        '{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},'
        '"spec":{"ports":[{"port":1e999}]}}',
        f"{PORT}{RANGE} float Infinity",
    ),
    (
        json.dumps(a_pod(labels={"a.b/c": "x", "app": 1})),
        'Pod default/p: metadata.labels["app"]: expected str, got int 1',
    ),
    (
        json.dumps(a_pod(annotations={"service.kubernetes.io/topology-mode": 1})),
        "Pod default/p: metadata.annotations.service.kubernetes.io/topology-mode:"
        " expected str, got int 1",
    ),
    (
        '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},'
        '"spec":{"replicas":-1}}',
        "Deployment default/d: spec.replicas: expected int of at least 0, got -1",
    ),
    # metadata
    (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: web-}",
        'Job: metadata.name: required, but there is only generateName "web-"',
    ),
    ("apiVersion: v1\nkind: Pod\nmetadata: {}", "Pod: metadata.name: required, but missing"),
    ("apiVersion: v1\nkind: Pod", "Pod: metadata: required, but missing"),
    ("apiVersion: v1\nkind: Pod\nmetadata: a", 'Pod: metadata: expected object, got str "a"'),
    ("kind: Service", "Service: has no apiVersion"),
    ("apiVersion: v1", "has no kind: not a Kubernetes object"),
    ("apiVersion: v1\nkind: 3", "kind: expected str, got int 3"),
    # documents and items
    (f"{SERVICE % 1}---\n{SERVICE % 0}", f"document 2: {PORT}{RANGE} 0"),
    (f"{SERVICE % 0}---\n{SERVICE % 1}", f"document 1: {PORT}{RANGE} 0"),
    (f"---\n{SERVICE % 0}", f"{PORT}{RANGE} 0"),
    (f"{SERVICE % 0}---\n]", f"document 1: {PORT}{RANGE} 0"),
    (
        a_list(a_service(), a_service(metadata={"name": 3})),
        "Service: items[1].metadata.name: expected str, got int 3",
    ),
    (
        a_list(a_service(), json.loads(a_list(a_service(spec={"type": "x"})))),
        'Service default/web: items[1].items[0].spec.type: expected "ClusterIP", "ExternalName",'
        ' "LoadBalancer" or "NodePort", got "x"',
    ),
    (a_list(a_service(), 3), "items[1]: expected object, got int 3"),
    (a_list({"apiVersion": "v1"}), "items[0]: has no kind: not a Kubernetes object"),
    ('{"apiVersion":"v1","kind":"PodList","items":3}', "items: expected list"),
    ('{"apiVersion":"v1","kind":"List","items":[' * 50 + "]}" * 50, "lists nested too deeply"),
    (json.dumps([a_service(spec=3)]), "Service default/web: [0].spec: expected object, got int 3"),
    # no objects at all
    ("hello", 'expected object, got str "hello"'),
    ("3", "expected object, got int 3"),
    ("- a\n- b", '[0]: expected object, got str "a"'),
    ("{}", "has no kind: not a Kubernetes object"),
]


@pytest.mark.parametrize(("content", "message"), FIELDS)
def test_fields(content: str, message: str) -> None:
    assert refusal(content) == message


def test_the_parts_of_an_error() -> None:
    with pytest.raises(InputError) as error:
        read([("a.yaml", f"{SERVICE % 1}---\n{SERVICE % 0}".encode())], namespace="shop")
    assert (error.value.file, error.value.document) == ("a.yaml", 2)
    assert (error.value.object, error.value.field) == ("Service shop/web", "spec.ports[0].port")


SYNTAX: list[tuple[str | bytes, str]] = [
    ('{"kind":"List","items":[{"a":1}', "JSON is cut off: it ends in the middle of a value"),
    ('{"a": 1,\n "b": NaN}', "line 2: not JSON: invalid character"),
    ('{"a": {{ .Values.x }}}', f"line 1: not JSON: expected '\"'{HELM}"),
    ("kind: Service\nmetadata: {name: a", "line 3: did not find expected ',' or '}'"),
    ('a:\n  b: "c', "line 2: found unexpected end of stream"),
    (
        "kind: Service\nmetadata:\n\tname: a\n",
        "line 3: found character that cannot start any token (YAML indents with spaces, not tabs)",
    ),
    ("a: b\nc\n", "line 3: could not find expected ':'"),
    ("a: 1\nb: 2\na: 3\n", "line 3: key 'a' is already set in this mapping"),
    ("a: *b", "line 1: alias *b of an anchor that is not there"),
    ("a: &a [*a]", "line 1: alias *a inside of its own anchor"),
    ("x: 1\n<<: 3", "line 2: << takes a mapping or a list of mappings"),
    ("a: !!python/object:os.system x", "line 1: tag python/object:os.system is not supported"),
    ("a: !!binary aGk=", "line 1: tag binary is not supported"),
    ("a: !Ref x", "line 1: tag !Ref is not supported"),
    ("a: !x {}", "line 1: tag !x is not supported"),
    ("? [a]\n: b", "line 1: a mapping's key must be a plain value"),
    ("name: {{ .Release.Name }}", f"line 1: a mapping's key must be a plain value{HELM}"),
    ("{{- if .Values.x }}\na: 1", f"line 1: did not find expected node content{HELM}"),
    (
        SERVICE % '"{{ .Values.port }}"',
        f'{PORT}{RANGE} str "{{{{ .Values.port }}}}"{HELM}',
    ),
    (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: '{{ .Release.Name }}'",
        "Pod default/{{ .Release.Name }}: metadata.name: "
        f'"{{{{ .Release.Name }}}}" is not a valid name{HELM}',
    ),
    # YAML after other things keeps the lines of the file
    ('{"apiVersion":"x/v1","kind":"X"}\n---\na: *b', "line 3: alias *b of an anchor that is not"),
    # bytes
    (b"\x7fELF\x02\x01\x01\0\0", "not YAML or JSON but binary: NUL at byte 7"),
    (b"\x89PNG\r\n\x1a\n\0\0", "not YAML or JSON but binary: NUL at byte 8"),
    (b"\x89PNG\r\n\x1a\n\x80", "not UTF-8 text: invalid leading UTF-8 octet"),
    ("kind: a".encode("utf-16-le"), "not YAML or JSON but binary: NUL at byte 1"),
    ("kind: a".encode("utf-16")[:-1], "broken UTF-16 text"),
    (b"kind: Se\xffrvice", "not UTF-8 text: invalid leading UTF-8 octet"),
    (b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"\xff"}}', "Pod: not JSON in UTF-8"),
    (b'{"apiVersion":"v1","kind":"P\xff"}', "not JSON in UTF-8"),
    ('{"apiVersion":"v1","kind":"Pod","metadata":{"name":"\\ud800 x"}}', ""),
    ("<!DOCTYPE html>\n<html>", "not YAML or JSON but a page of HTML or XML"),
    ("\n <html><body>502 Bad Gateway", "not YAML or JSON but a page of HTML or XML"),
    (
        "==== START logs for container a of pod b/c ====\nx\n",
        "cut off: no end of logs for container a of pod b/c",
    ),
]


@pytest.mark.parametrize(("content", "message"), SYNTAX)
def test_syntax(content: str | bytes, message: str) -> None:
    assert refusal(content).startswith(message)


def test_names_cannot_drive_a_terminal() -> None:
    for name in ("\x1b[31mred", "a\nb", "../../etc", "a/b", "A", "a_b", "", "x" * 254):
        line = refusal(json.dumps(a_pod(name=name)))
        assert line.isprintable()
        assert "metadata.name" in line
    for metadata in ({"namespace": "a/b"}, {"labels": {"a": "x\ny"}}, {"labels": {"a\x1b": ""}}):
        assert refusal(json.dumps(a_pod(**metadata))).isprintable()
    assert refusal('{"apiVersion":"v1","kind":"' + "x\\u001b" * 9999 + '","items":3').isprintable()


def test_no_value_of_a_foreign_config_map_is_shown() -> None:
    content = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 3}\ndata: {password: 1234567}"
    assert refusal(content) == "ConfigMap: metadata.name: expected str, got int 3"


def test_long_names_do_not_fill_the_screen() -> None:
    assert "has no apiVersion" in refusal(json.dumps({"kind": "x" * 100_000}))
    assert "metadata.name" in refusal(json.dumps(a_pod(name="x" * 100_000)))
    assert "line 1: alias *xxx" in refusal("a: *" + "x" * 100_000)
    assert "line 1: tag !xxx" in refusal("a: !" + "x" * 100_000)
    assert "cut off" in refusal(f"==== START logs for container {'x' * 100_000} ====\n")
