"""What a run or a sweep came to, as one page that a person reads, with the numbers beside it."""
