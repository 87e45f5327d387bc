"""What a program's resolver asks for, in which order, and what the program gets in the end.

`resolvers.RESOLVERS` holds a machine for each resolver, `drive.drive` runs one against answers
that are known, `advice.advice` says what would be cheaper. Must never open a socket, wait or read
a clock: a machine names its next queries and the time to wait, whoever drives it does the rest.
"""
