"""What a clean pick uses that the main line has and the branch will not have."""
