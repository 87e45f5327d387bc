"""The encoder by itself: attributes, batches, which request failed."""

import errno
import resource
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.lab.kernel import Base, rtnetlink
from kubehop.lab.kernel.limits import enough_files
from kubehop.lab.kernel.pause import elf
from kubehop.lab.plan.values import Address, Neighbour
from kubehop.linux.netlink import BATCH, Netlink, Request, attribute, attributes, nested
from kubehop.model.errors import ClusterError, UsageError
from tests.lab.inside import in_lab, run_apart


@given(st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=40))))
def test_attributes_are_read_as_they_were_written(pairs: list[tuple[int, bytes]]) -> None:
    data = b"".join(attribute(type, payload) for type, payload in pairs)
    assert list(attributes(data)) == pairs
    assert len(data) % 4 == 0
    ((type, inner),) = attributes(nested(5, *(attribute(*pair) for pair in pairs)))
    assert (type, inner) == (5, data)


@given(st.binary(max_size=60))
def test_octets_that_are_no_attributes_end_it(data: bytes) -> None:
    for _, payload in attributes(data):
        assert len(payload) <= len(data)


def _address(number: int) -> Request:
    thing = Address("", "lo", f"10.0.{number >> 8}.{number & 255}/32")
    return rtnetlink.address(thing, rtnetlink.LOOPBACK, True)


@in_lab
def test_of_a_batch_all_but_those_that_fail_are_done_and_those_are_named(base: Base) -> None:
    netlink = Netlink()
    failed = [3, BATCH - 1, BATCH, 2 * BATCH + 5]
    netlink.run(_address(number) for number in failed)
    count = 3 * BATCH + 1
    failures = netlink.failures(_address(number) for number in range(count))
    assert [(failure.request.about, failure.errno) for failure in failures] == [
        (_address(number).about, errno.EEXIST) for number in failed
    ]
    assert len(netlink.failures(_address(number) for number in range(count))) == count
    assert netlink.failures([]) == []
    with pytest.raises(ClusterError, match=r"refused Address\(.*10\.0\.0\.3/32.*File exists"):
        netlink.run(_address(number) for number in range(3, 6))
    netlink.close()


@in_lab
def test_what_is_gone_already_is_no_error_and_the_kernel_s_words_are_passed_on(base: Base) -> None:
    netlink = Netlink()
    gone = rtnetlink.address(Address("", "lo", "10.1.1.1/32"), rtnetlink.LOOPBACK, False)
    assert netlink.failures([gone]) == []
    nowhere = rtnetlink.neighbour(Neighbour("", "x", "10.0.0.1", "02:00:00:00:00:01"), 99, True)
    (failure,) = netlink.failures([nowhere])
    assert failure.errno == errno.ENODEV
    long = Address("", "lo", "10.0.0.1/33")
    (failure,) = netlink.failures([rtnetlink.address(long, rtnetlink.LOOPBACK, True)])
    assert str(failure).endswith(": Invalid argument (ipv4: Invalid prefix length)")
    with pytest.raises(ClusterError):
        list(netlink.dump(Request(9999, 0, b"", "no such type")))


def test_pause_programs_are_what_the_machine_s_manuals_say() -> None:
    for machine, number in (("x86_64", 62), ("aarch64", 183)):
        program = elf(machine)
        assert program[:6] == b"\x7fELF\2\1"
        kind, its, _, entry = struct.unpack_from("<HHIQ", program, 16)
        assert (kind, its, entry) == (2, number, 0x400000 + 64 + 2 * 56)
        assert len(program) < 256
    *setup, wait, again = struct.unpack("<8I", elf("aarch64")[-32:])
    for register, word in zip((0, 1, 2, 3, 4, 8), setup, strict=True):
        value = 73 if register == 8 else 0  # movz: sf 1, opc 10, 100101, shift 0, imm16, Rd
        assert word == 0b110100101 << 23 | value << 5 | register
    assert wait == 0b11010100000 << 21 | 1  # svc #0
    assert again == 0b000101 << 26 | (1 << 26) - 7  # b, seven instructions back
    assert elf("riscv64") == b""


def test_too_few_files_is_one_line_and_enough_raises_the_soft_limit() -> None:
    def body() -> tuple[str, tuple[int, int]]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 300))
        enough_files(200)
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        with pytest.raises(UsageError) as found:
            enough_files(400)
        return str(found.value), limits

    said, limits = run_apart(body)
    assert limits == (300, 300)
    assert "the limit is 300" in said
    assert "\n" not in said
