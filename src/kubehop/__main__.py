"""`python -m kubehop`."""

from kubehop.cli.main import main

main()
