"""What is done in a cluster through its API: programs run in a pod, Jobs that collect.

The only package that changes a cluster, and only what its caller was asked to change; whatever it
makes and can remove it removes. Never decides by itself to change anything, never touches the
network or the processes of this machine.
"""
