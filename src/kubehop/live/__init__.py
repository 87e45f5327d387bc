"""A real cluster, read only: the official client's auth, raw pages into `kubehop.source`."""
