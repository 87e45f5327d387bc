"""Frozen values: the objects of a cluster, addresses, selectors.

No I/O, no clock, no randomness; imports nothing of kubehop outside this package.
"""
