"""From a Cluster to what a lab of it consists of. Pure: no I/O, no clock, no chance.

A Plan holds values; what turns one plan into another is the difference of two sets, in the
order in which the kernel takes it. Applied to the empty plan it builds the whole lab.
"""
