"""The text of the table that packets vanish in."""

from kubehop.lab.plan.drops import drops_text
from kubehop.lab.plan.values import Drop, Hook

ONE = Drop("node/n0", Hook.PREROUTING, "tcp dport 53")
TWO = Drop("node/n0", Hook.OUTPUT, "tcp dport 53")


def test_it_is_replaced_whole() -> None:
    assert drops_text({TWO, ONE}) == (
        "table inet kubehop-fault\n"
        "delete table inet kubehop-fault\n"
        "table inet kubehop-fault {\n"
        "  chain prerouting {\n"
        "    type filter hook prerouting priority -450; policy accept;\n"
        "    tcp dport 53 counter drop\n"
        "  }\n"
        "  chain output {\n"
        "    type filter hook output priority -450; policy accept;\n"
        "    tcp dport 53 counter drop\n"
        "  }\n"
        "}\n"
    )


def test_without_drops_there_is_no_table() -> None:
    assert drops_text(()) == "table inet kubehop-fault\ndelete table inet kubehop-fault\n"


def test_order_does_not_matter() -> None:
    other = Drop("node/n0", Hook.PREROUTING, "udp dport 53")
    assert drops_text([ONE, TWO, other]) == drops_text([other, TWO, ONE, ONE])
