"""What depth profiles of secondary ions say: shares of ions, and their ratio between samples."""
