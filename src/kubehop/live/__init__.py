"""A real cluster, read only: the official client's auth, raw bytes into `kubehop.source`.

`fetch` reads everything once, `watch` follows what cluster DNS answers from. Never sends anything
but GET.
"""
