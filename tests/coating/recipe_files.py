"""A recipe file that is as short as one can be, and the same with lines changed or added."""

SHORT = """title = "ten grams"
batch_mass_kg = 0.010
reactor_volume_L = 3
temperature_C = 150
n_cycles = 40
ozone_min = 10
[powder]
outer_diameter_nm = 40
inner_diameter_nm = 20
[zinc]
pressure_steps_Torr = [5]
source_temperature_C = 25
[water]
pressure_steps_Torr = [5]
source_temperature_C = 25
[growth]
growth_per_cycle_nm = 0.17
nuclei_per_um2 = 800
"""
PAPER = """[paper]
areal_mass_mg_per_cm2 = 1
thickness_um = 40
powder_fraction = 0.8
char_yield = 0.25
"""
BY_OZONE = ("nuclei_per_um2 = 800", "nuclei_at_most_per_um2 = 1000\nozone_constant_min = 10")


def written(tmp_path, *changes, add=""):
    """A recipe file with lines changed, and with others at its end."""
    text = SHORT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "r.toml"
    path.write_text(text + add)
    return str(path)


OF_POWDER = "inner_diameter_nm = 20"
OF_DOSE = "source_temperature_C = 25\n[water]"
