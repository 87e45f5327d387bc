"""DNS messages as octets (RFC 1035 section 4, RFC 6891), as CoreDNS reads and writes them.

`query` reads what a client sent, `compiled` writes a Reply once and fits it to each query,
`reply` reads what an upstream sent. Must never open a socket, and must take any octets: what
cannot be read is a value (an error reply, or silence) or one `WireError`, never another error.
"""
