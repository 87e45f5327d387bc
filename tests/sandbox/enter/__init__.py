"""Files, programs, connections and packets of network namespaces that a test made."""
