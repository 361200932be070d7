"""What burning a coated paper says: how much zinc oxide it holds."""
