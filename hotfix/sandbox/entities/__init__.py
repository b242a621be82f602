"""How each entity looks in GitLab's answers: the one place that renders them.

One module per topic; every function returns what becomes JSON, with all the keys that GitLab's
entity code always prints (the ``required`` ones of its API document).
"""
