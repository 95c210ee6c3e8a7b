"""Who plays in the simulator: people, with timing fitted to real drummers, and those who cheat."""
