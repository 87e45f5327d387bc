"""What a user reads about faults."""

from kubehop.lab.faults import FAULTS, Injected, Place
from kubehop.lab.faults.text import active_json, active_lines, table_json, table_text
from kubehop.render.drawing import WIDTH, Style


def test_the_table_has_a_line_for_each() -> None:
    drawn = table_text(Style()).splitlines()
    assert drawn[0].split() == ["NAME", "WHERE", "WHAT"]
    assert [line.split()[0] for line in drawn if line[:1] not in (" ", "")][1:] == list(FAULTS)
    assert max(map(len, drawn)) <= WIDTH


def test_wide_tells_the_fix() -> None:
    words = " ".join(table_text(Style(wide=True)).split())
    assert "fix: allow TCP 53 as well (RFC 7766)" in words


def test_json_has_every_word() -> None:
    found = table_json()
    assert (found["apiVersion"], found["kind"]) == ("kubehop/v1", "Faults")
    overlay = next(row for row in found["faults"] if row["name"] == "overlay-dropped")
    assert (overlay["needs"], overlay["takes"]) == (["node", "to"], [])
    assert all(row[part] for row in found["faults"] for part in ("summary", "symptom", "fix"))


def test_what_is_in_a_lab() -> None:
    one = Injected("server-stopped", Place(pod="default/web-1"))
    symptom = FAULTS["server-stopped"].symptom
    assert active_lines([one]) == (f"server-stopped --pod default/web-1: {symptom}",)
    assert active_json(one) == {
        "name": "server-stopped",
        "pod": "default/web-1",
        "symptom": symptom,
    }
