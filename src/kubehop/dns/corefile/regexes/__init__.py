"""Regular expressions as CoreDNS has them: Go's, which no text makes slow.

Python's own engine goes back and tries again, for hours if an expression and a name are made for
it. It is used where that cannot be. Must never read what is not an expression or a text.
"""

from kubehop.dns.corefile.regexes.compiled import Groups, Regex, go_regex

__all__ = ["Groups", "Regex", "go_regex"]
