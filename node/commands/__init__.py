"""What the commands do, each imported when it runs. All but `up` and `demo` are clients of the daemon's API."""
