"""Numbers of resource record types (IANA "DNS parameters"), and their names."""

from kubehop.dns.wire.errors import WireError

IN = b"\0\1"
"""Class internet, on the wire."""

OPT = 41
"""The pseudo record of EDNS (RFC 6891)."""

NUMBERS: dict[str, int] = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "HINFO": 13,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "SRV": 33,
    "NAPTR": 35,
    "OPT": OPT,
    "DS": 43,
    "RRSIG": 46,
    "NSEC": 47,
    "DNSKEY": 48,
    "NSEC3": 50,
    "SVCB": 64,
    "HTTPS": 65,
    "IXFR": 251,
    "AXFR": 252,
    "ANY": 255,
    "CAA": 257,
}
_NAMES = {number: name for name, number in NUMBERS.items()}


def type_name(number: int) -> str:
    """The name of a type: "A", or "TYPE65280" for what nobody named (RFC 3597 5)."""
    return _NAMES.get(number) or _rare_name(number)


def type_number(name: str) -> int:
    """The number of a type; raises WireError for a name that is no type."""
    number = NUMBERS.get(name)
    return _rare_number(name) if number is None else number


def _rare_name(number: int) -> str:
    import dns.rdatatype

    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number))


def _rare_number(name: str) -> int:
    import dns.exception
    import dns.rdatatype

    try:
        return int(dns.rdatatype.from_text(name))
    except (dns.exception.DNSException, ValueError) as error:
        raise WireError(f"no type of resource record: {name}") from error
