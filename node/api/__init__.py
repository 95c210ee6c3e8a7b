"""The daemon's API: HTTP and WebSocket on loopback, for the page and the command line."""
