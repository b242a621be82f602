"""Making it happen, once."""
