"""A resolver's machine against real servers: sockets and a clock around `kubehop.dns.lookup`.

Must never decide what is asked next or what an answer means: that is the machine's.
"""
