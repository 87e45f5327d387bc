"""`kubehop lab resolve`: in labs as users have them, and where a fault makes the two differ."""

import json
from pathlib import Path
from typing import Any

from tests.lab.inside import as_everyone
from tests.lab.supervisor.scene import SMALL, at_home, fine, kubehop, refused, up

FQDN = "web.default.svc.cluster.local."


def resolve(name: str, *options: str, code: int = 0) -> dict[str, Any]:
    """The answer as JSON."""
    said = kubehop("lab", "resolve", name, "--name", "a", "-o", "json", *options)
    assert said.code == code, said
    found: dict[str, Any] = json.loads(said.out)
    assert found["kind"] == "LookupComparison"
    assert found["agrees"] is (code == 0)
    return found


def asked(lookup: dict[str, Any]) -> list[str]:
    return [f"{query['name']} {query['type']}" for query in lookup["queries"]]


@as_everyone
@at_home
def test_a_lookup_is_predicted_and_observed(uid: int | None, tmp_path: Path) -> None:
    up(
        manifest=SMALL.replace(
            "{name: client}\nspec: {", "{name: client}\nspec: {hostNetwork: true, "
        )
    )
    fine("lab", "exec", "web-1", "--name", "a", "--", "true")
    found = resolve("web", "--from", "pod/web-1")
    assert sorted(asked(found["observed"])) == [f"{FQDN} A", f"{FQDN} AAAA"]
    assert found["observed"]["outcome"] == "found"
    assert found["observed"]["dnsPods"]
    assert set(found["observed"]["dnsPods"]) <= set(found["predicted"]["dnsPods"])
    assert len(resolve("example.com", "--from", "pod/web-1")["observed"]["queries"]) == 8
    assert resolve("nosuch", "--from", "pod/web-1")["observed"]["outcome"] == "not found"
    for origin in ("pod/client", "node/node-0"):
        away = resolve("example.com", "--from", origin)["observed"]
        assert away["outcome"] == "found"
        assert away["queries"] == away["dnsPods"] == []
    said = fine("lab", "resolve", "web", "--from", "pod/web-1", "--name", "a")
    assert "prediction and lookup agree" in said
    assert f"{FQDN} A, AAAA" in said
    fine("lab", "down", "--name", "a")


@at_home
def test_a_pod_on_the_hosts_network_has_files_of_its_own(tmp_path: Path) -> None:
    """With ClusterFirstWithHostNet, its node's sandbox notwithstanding."""
    spec = "{name: client}\nspec: {hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet, "
    spec += "hostAliases: [{ip: 192.0.2.9, hostnames: [alias]}], "
    up(manifest=SMALL.replace("{name: client}\nspec: {", spec))
    assert asked(resolve("web", "--from", "pod/client")["observed"])
    assert resolve("alias", "--from", "pod/client")["observed"]["addresses"] == ["192.0.2.9"]
    assert resolve("alias", "--from", "node/node-0")["observed"]["outcome"] == "not found"
    script = "cat /etc/resolv.conf /etc/hosts; ls /sys/class/net"
    inside = fine("lab", "exec", "client", "--name", "a", "--", "sh", "-c", script)
    assert "search default.svc.cluster.local" in inside
    assert "192.0.2.9\talias" in inside
    assert "eth0" in inside
    node = fine("lab", "exec", "node/node-0", "--name", "a", "--", "cat", "/etc/resolv.conf")
    assert "svc.cluster.local" not in node
    fine("lab", "down", "--name", "a")


@at_home
def test_a_fault_makes_the_two_differ(tmp_path: Path) -> None:
    up()
    fine("lab", "fault", "add", "dns-refusing", "--name", "a")
    found = resolve("nosuch.example.", "--from", "pod/web-1", code=1)
    assert found["predicted"]["outcome"] == "not found"
    assert found["observed"]["outcome"] != "not found"
    assert found["disagreements"]
    said = kubehop("lab", "resolve", "nosuch.example.", "--from", "pod/web-1", "--name", "a")
    assert said.code == 1
    assert "DIFFERS: " in said.out
    fine("lab", "fault", "heal", "dns-refusing", "--name", "a")
    resolve("nosuch.example.", "--from", "pod/web-1")
    fine("lab", "down", "--name", "a")


@at_home
def test_what_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    up()
    for words, why in (
        (("web", "--from", "external"), "a lab asks from pod/"),
        (("web", "--from", "pod/nosuch"), "no Pod default/nosuch"),
        (("w\u00e9b", "--from", "pod/web-1"), "ASCII"),
    ):
        assert why in refused("lab", "resolve", *words, "--name", "a")
    fine("lab", "down", "--name", "a")
