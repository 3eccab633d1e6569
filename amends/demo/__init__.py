"""`amends demo`: the whole desk against the simulator, on a temporary database with past complaints."""
