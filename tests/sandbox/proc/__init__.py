"""/proc as a source: of this machine, of namespaces that a test made, and reconstructed trees."""
