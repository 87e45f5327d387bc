"""Files that come with the package: the example cluster."""
