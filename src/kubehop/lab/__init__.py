"""A cluster's network built from Linux namespaces: real packets, rootless.

`plan` is pure and says what a lab consists of; `kernel` makes it; `servers` answer in it;
`probe` sends packets and says what came of them; `supervisor` holds all of it and takes orders.
Nothing here touches the machine's own network, and nothing stays behind.
"""
