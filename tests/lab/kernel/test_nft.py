"""Rules through libnftables: whole transactions, clear errors, many namespaces at a time."""

import ctypes
import json
import threading
import time
from typing import Any

import pytest

from kubehop.lab.kernel import Base, nft
from kubehop.lab.kernel.nft import Rules
from kubehop.lab.plan.values import NEXT_TRANSACTION, Nft, Sandbox
from kubehop.model.errors import ClusterError, UsageError
from tests.lab.inside import as_everyone, in_lab
from tests.lab.kernel.world import NODE, POD, node, pod, said, standing

_TABLE = """\
table ip t {
 map m {
  type ipv4_addr : ipv4_addr
 }
 chain c {
  type nat hook output priority -100
  dnat to ip daddr map @m
 }
}
"""


def elements(count: int, third: int = 0) -> str:
    each = ", ".join(f"10.96.{third}.{n} : 10.42.{third}.{n}" for n in range(1, count + 1))
    return f"add element ip t m {{ {each} }}\n"


def listed(kernel: Any, namespace: str) -> list[dict[str, Any]]:
    found = json.loads(said(kernel, namespace, "nft", "-j", "list", "ruleset"))["nftables"]
    return [one for one in found if "metainfo" not in one]


def kept(kernel: Any, namespace: str) -> list[Any]:
    """The elements of the map."""
    (found,) = [one["map"] for one in listed(kernel, namespace) if "map" in one]
    return sorted(found.get("elem", []))


@as_everyone
@in_lab
def test_rules_are_loaded_changed_and_read_back(base: Base, uid: int | None) -> None:
    with standing(base, *node(), *pod(POD, 2)) as kernel:
        kernel.apply([Nft(NODE, _TABLE), Nft(NODE, elements(3))])
        assert kept(kernel, NODE) == [[f"10.96.0.{n}", f"10.42.0.{n}"] for n in (1, 2, 3)]
        assert [list(one) for one in listed(kernel, NODE)] == [
            ["table"],
            ["map"],
            ["chain"],
            ["rule"],
        ]
        kernel.apply([Nft(NODE, "delete element ip t m { 10.96.0.2 }\n")])
        assert len(kept(kernel, NODE)) == 2
        assert listed(kernel, POD) == []


@as_everyone
@in_lab
def test_a_refused_transaction_changes_nothing_and_says_why_in_one_line(
    base: Base, uid: int | None
) -> None:
    with standing(base, Sandbox(NODE, "a")) as kernel:
        kernel.apply([Nft(NODE, _TABLE)])
        missing = elements(2) + "add element ip t nowhere { 10.0.0.1 }\n"
        for text, wanted in (
            (missing, r"node/a: nftables refused 'add element ip t nowhere .*': .*No such file"),
            ("what is this\n", r"node/a: nftables refused 'what is this': syntax error"),
            (elements(200, 1) + "add element ip t m { x y }\n", r"syntax error"),
        ):
            with pytest.raises(ClusterError, match=wanted) as found:
                kernel.apply([Nft(NODE, text)])
            assert "\n" not in str(found.value)
            assert len(str(found.value)) < 400
            assert kept(kernel, NODE) == []


@as_everyone
@in_lab
def test_many_namespaces_at_a_time_get_each_its_own(base: Base, uid: int | None) -> None:
    names = [f"node/n{number}" for number in range(40)]
    with standing(base, *(Sandbox(name, "n") for name in names)) as kernel:
        steps = [
            Nft(name, text)
            for number, name in enumerate(names)
            for text in (_TABLE, elements(number + 1, number))
        ]
        kernel.apply(steps)
        for number, name in enumerate(names):
            assert len(kept(kernel, name)) == number + 1
            assert kept(kernel, name)[0] == [f"10.96.{number}.1", f"10.42.{number}.1"]


@as_everyone
@in_lab
def test_other_threads_run_while_rules_are_loaded(base: Base, uid: int | None) -> None:
    """The interpreter's lock is free meanwhile: else no thread could answer a packet."""
    parts = ["".join(elements(250, third) for third in range(n, n + 8)) for n in range(0, 80, 8)]
    big = NEXT_TRANSACTION.join([_TABLE, *parts])
    with standing(base, Sandbox(NODE, "a")) as kernel:
        load = threading.Thread(target=kernel.apply, args=([Nft(NODE, big)],))
        pauses, last = [], time.monotonic()
        load.start()
        while load.is_alive():
            time.sleep(0.0005)
            pauses.append(time.monotonic() - last)
            last += pauses[-1]
        load.join()
        assert len(kept(kernel, NODE)) == 20_000
        assert len(pauses) > 5, pauses


@in_lab
def test_a_rule_set_of_the_machine_s_is_not_seen(base: Base) -> None:
    rules = Rules()  # of PID 1's own, empty network namespace
    assert rules.run("list ruleset") == ""
    rules.run("table ip mine\n")
    assert "table ip mine" in rules.run("list ruleset")
    rules.close()
    rules.close()


def test_a_machine_without_the_library_is_told_which_package_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    nft.library.cache_clear()
    with pytest.raises(UsageError, match="sudo apt-get install libnftables1") as found:
        nft.library()
    assert "\n" not in str(found.value)
