"""What the commands do, each imported when it runs. But for `up`, `demo`, `quality`: clients of the daemon's API."""
