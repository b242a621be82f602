"""What happened, and proof of it."""
