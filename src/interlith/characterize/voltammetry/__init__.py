"""What cyclic voltammograms say: peaks, their shifts, and whether diffusion can be read from them."""
