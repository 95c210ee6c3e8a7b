"""What things cost and how well they work: programs that print figures and assert nothing."""
