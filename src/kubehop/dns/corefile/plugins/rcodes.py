"""Response codes by the names that a Corefile may use (`dns.StringToRcode`)."""

from kubehop.dns.message import Rcode

RCODES: dict[str, int] = {rcode.name: int(rcode) for rcode in Rcode} | {
    "YXDOMAIN": 6,
    "YXRRSET": 7,
    "NXRRSET": 8,
    "NOTAUTH": 9,
    "NOTZONE": 10,
    "DSOTYPENI": 11,
    "BADVERS": 16,
    "BADKEY": 17,
    "BADTIME": 18,
    "BADMODE": 19,
    "BADNAME": 20,
    "BADALG": 21,
    "BADTRUNC": 22,
    "BADCOOKIE": 23,
}
