"""What kubehop costs: `python -m benchmarks` prints it, with the peer beside it in the same run."""
