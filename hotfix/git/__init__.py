"""Pure Git on dulwich objects, with no working tree, no process and no network."""
