"""What GitLab knows and does, behind a Protocol of our own."""
