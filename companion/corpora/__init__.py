"""Text: generators of our own, and readers of real data sets."""
