"""Cycler files in, lithium-metal efficiencies out."""
