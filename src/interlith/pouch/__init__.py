"""What a cell of given layers weighs, holds and delivers, what does not close in it, and what would change it."""
