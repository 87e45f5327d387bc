"""The plugins of a Corefile: a value and a parser each.

A parser accepts what the plugin's `setup.go` accepts and refuses the rest in its words. Must
never say what a plugin does to a query: that is `kubehop.dns.chain`.
"""
