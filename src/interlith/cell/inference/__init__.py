"""What data tell of a cell: observables and their noise, fits, tests that part rival mechanisms, the held-out table."""
