"""`amends demo`: the whole desk against the simulator, with a past of its own, on a throw-away database."""
