"""What was played, judged: liveness, accuracy, diversity, humanness, originality. Integers only (SPEC 6)."""
