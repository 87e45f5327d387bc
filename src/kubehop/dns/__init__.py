"""Cluster DNS as pure functions: what a pod's resolver asks, and what CoreDNS answers.

`resolv` holds the files that a resolver reads and the kubelet writes, `lookup` a state machine
per resolver, `corefile` CoreDNS's configuration, `zone` what it answers from a Cluster. Must
never open a socket, read a file, a clock or the environment: whoever drives a machine here
(a test, a command, the server) brings answers, silence and the time.
"""
