"""House style as functions of source text: each takes a path and what is in it, and returns complaints."""
