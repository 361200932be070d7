"""Findings for the eye: figures, one page, one sentence. It draws and words what the findings hold and computes nothing."""
