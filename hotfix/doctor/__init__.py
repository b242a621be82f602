"""What would keep a hotfix from going through, looked for before it is needed."""
