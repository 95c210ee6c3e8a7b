"""The shell around the engine: the one place where its effects meet disk, mesh, API and the clock."""
