"""Parsers never raise, keep their limits, and read what is written in the plain way."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from kubehop.dns.resolv import hosts, node_file
from kubehop.dns.resolv.scan import aton
from tests.dns.resolv.test_parsers import PARSERS

LINE = st.one_of(
    st.text(max_size=40),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["nameserver", "search", "domain", "options", "sortlist", " search", "#"]),
        st.sampled_from([" ", "\t", "  ", "", "\x00", "\u00a0"]),
        st.one_of(
            st.text(max_size=20),
            st.sampled_from(["10.0.0.1", "fd00::1%eth0", "ndots:5", "ndots:" + "9" * 5000, "a b"]),
        ),
    ),
)
TEXT = st.lists(LINE, max_size=12).map("\n".join)
LABEL = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
DOMAIN = st.lists(LABEL, min_size=1, max_size=3).map(".".join)
ADDRESS = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@given(text=TEXT, hostname=st.text(max_size=20))
def test_no_text_makes_a_parser_raise(text: str, hostname: str) -> None:
    for family, parse in PARSERS.items():
        conf = parse(text, hostname)
        assert conf.nameservers
        limit = 3 if family in ("glibc", "musl", "go", "bind") else 12
        assert len(conf.nameservers) <= limit
        for note in conf.notes:
            assert 0 <= note.line <= text.count("\n") + 1
        for server in conf.nameservers:
            ipaddress.ip_address(server.partition("%")[0])


@given(
    servers=st.lists(ADDRESS, min_size=1, max_size=3, unique=True),
    search=st.lists(DOMAIN, min_size=1, max_size=4, unique=True),
    ndots=st.integers(0, 15),
)
def test_a_plain_file_reads_alike_everywhere(
    servers: list[str], search: list[str], ndots: int
) -> None:
    text = f"search {' '.join(search)}\n"
    text += "".join(f"nameserver {server}\n" for server in servers)
    text += f"options ndots:{ndots}\n"
    for family, parse in PARSERS.items():
        conf = parse(text, "")
        expected = [s for s in servers if s != "0.0.0.0"] if family == "bind" else servers
        assert [s for s in conf.nameservers if s in expected] == expected
        assert not conf.unusable
        if family != "busybox-1.29":
            assert [domain.removesuffix(".") for domain in conf.search] == search
        if not family.startswith("busybox"):
            assert conf.ndots == ndots
    node = node_file.read(text)
    assert (list(node.nameservers), list(node.searches)) == (servers, search)
    assert node.options == (f"ndots:{ndots}",)


@given(text=TEXT)
def test_the_kubelet_reads_any_text(text: str) -> None:
    found = node_file.read(text)
    assert all(" " not in option for option in found.options)


@given(lines=st.lists(st.tuples(ADDRESS, st.lists(DOMAIN, min_size=1, max_size=3)), max_size=6))
def test_hosts_files_read_as_written(lines: list[tuple[str, list[str]]]) -> None:
    text = "".join(f"{address}\t{' '.join(names)} # note\n" for address, names in lines)
    found = hosts.parse(text)
    assert [(e.address, list(e.names)) for e in found.entries] == lines


@given(text=st.text(max_size=60))
def test_no_hosts_file_raises(text: str) -> None:
    hosts.parse(text)


@given(address=st.ip_addresses(v=4))
def test_aton_reads_every_spelling_of_an_address(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    first, rest = number >> 24, number & 0xFFFFFF
    for text in (str(address), str(number), hex(number), f"{first}.{rest}", f"0{first:o}.{rest}"):
        assert aton(text) == str(address)
