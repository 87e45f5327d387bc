"""kubehop: where does this packet go in my Kubernetes cluster, and why does it not arrive?"""
