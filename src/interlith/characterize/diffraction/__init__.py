"""What a diffraction pattern of a zinc oxide coating says: orientation and crystallite size."""
