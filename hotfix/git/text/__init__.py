"""Lines: how Git compares them (xdiff) and merges them three ways."""
