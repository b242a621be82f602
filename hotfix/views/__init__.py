"""How people and machines read it."""
