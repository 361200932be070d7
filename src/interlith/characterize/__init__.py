"""What measurements of a host and its cells say, as numbers that a study can take: XRD, TGA, EIS, CV, TOF-SIMS."""
