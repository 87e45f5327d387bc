"""Where a packet goes: stages in one tuple, every hop says why, exact probabilities.

Pure. A dropped packet is a result here, not an error.
"""
