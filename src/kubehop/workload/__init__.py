"""What controllers would make: pods, addresses, EndpointSlices, hints; an Inventory to a Cluster.

Pure and deterministic. What is present in the input always wins over what would be invented,
and every invention is named in `Cluster.assumptions`.
"""
