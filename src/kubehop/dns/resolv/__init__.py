"""The files that a pod's resolver reads: how the kubelet writes, how each resolver reads them.

One parser per family of resolvers turns resolv.conf into `values.ResolvConf`, with notes on what
it leaves out; `kubelet`, `hostname` and `pod_hosts` make a pod's files. Must never read a file:
texts come in, values and texts go out; a parser never raises.
"""
