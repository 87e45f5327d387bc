"""Commands: parse arguments, call, render. One file per command; no rule of networking here."""
