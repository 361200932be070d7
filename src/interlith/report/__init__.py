"""Findings for the eye: figures, one page, one sentence. It shows what they hold and computes nothing."""
