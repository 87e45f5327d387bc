"""What kube-proxy does with one packet on one node: frontends, endpoint sets, policies, spread.

Pure. Follows `pkg/proxy` of Kubernetes for the modes nftables, iptables and ipvs; where the
modes differ, `kubehop.service.modes` holds the difference as a table.
"""
