"""What measured impedance spectra say: whether they can be believed, and the resistances in them."""
