"""The shipped sweeps, as files that can be copied."""
