"""What cannot be a DNS message."""

from kubehop.model.errors import InputError


class WireError(InputError):
    """Octets that RFC 1035 does not allow, or text that cannot be written as octets."""
