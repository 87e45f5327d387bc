"""Packets of the network namespace that the calling thread is in, by packet(7): a pcap file.

Never changes what it looks at (no promiscuous mode), and never answers, drops or delays a packet.
"""
