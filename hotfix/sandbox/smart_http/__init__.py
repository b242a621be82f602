"""Git over smart HTTP: the server's half of fetch (protocol 0 and 2) and push, on Git's objects.

After Git's ``gitprotocol-http``, ``gitprotocol-pack`` and ``gitprotocol-v2``. dulwich reads and
writes the packs; the conversation is our own, because dulwich's server reports a push with a stale
old id as done and knows neither protocol 2 nor the fetch of any id, all of which GitLab has.
"""
