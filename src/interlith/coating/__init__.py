"""What atomic layer deposition leaves on a powder: doses, islands, loading, and what a batch costs."""
