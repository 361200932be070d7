"""Files made to harm, damaged or torn: a message, never a traceback, and never more memory than a pattern needs."""

import random
import tracemalloc
import zipfile

import pytest
from diffraction_files import made_up, rasx, xrdml_text

from interlith.characterize.diffraction.pattern import is_pattern, read_pattern
from interlith.errors import CorruptFile, InputError, UnsupportedFormat

ANGLES, COUNTS = made_up()
LAUGHS = "<!DOCTYPE lolz [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(8)
)


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.rasx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Data0/Profile0.txt", b"20.0 1 1\n" * (30 * 1024**2))
    tracemalloc.start()
    with pytest.raises(CorruptFile, match="unpacks to more than 64 MB"):
        read_pattern(path)
    assert tracemalloc.get_traced_memory()[1] < 300e6
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["../../evil.txt", "/etc/evil.txt", "C:\\evil.txt", "Data0\\..\\..\\evil"])
def test_a_path_that_leads_elsewhere(name, tmp_path):
    path = rasx(tmp_path / "a.rasx", ANGLES, COUNTS)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "x")
    with pytest.raises(CorruptFile, match="elsewhere"):
        read_pattern(path)


def test_members_that_are_missing_or_many(tmp_path):
    with pytest.raises(CorruptFile, match="no profile inside"):
        read_pattern(rasx(tmp_path / "a.rasx", ANGLES, COUNTS, profile=None))
    many = rasx(tmp_path / "b.rasx", ANGLES, COUNTS)
    with zipfile.ZipFile(many, "a") as archive:
        for i in range(600):
            archive.writestr(f"x{i}", "")
    with pytest.raises(CorruptFile, match="files inside"):
        read_pattern(many)
    two = rasx(tmp_path / "c.rasx", ANGLES, COUNTS)
    with zipfile.ZipFile(two, "a") as archive:
        archive.writestr("Data1/Profile1.txt", "1 2 1")
    with pytest.raises(UnsupportedFormat, match="2 scans"):
        read_pattern(two)


@pytest.mark.parametrize("text", ["", "30.0 5", "30.0\t5\t1\n30.1\t5", "30.0\tmany\t1\n", "30.0\t5\t0\n" * 60])
def test_a_profile_that_is_damaged(text, tmp_path):
    path = tmp_path / "a.rasx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Data0/Profile0.txt", text)
    with pytest.raises(InputError):
        read_pattern(path)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.99])
def test_a_zip_file_that_is_cut_off(part, tmp_path):
    data = rasx(tmp_path / "a.rasx", ANGLES, COUNTS).read_bytes()
    path = tmp_path / "cut.rasx"
    path.write_bytes(data[: int(part * len(data))])
    assert is_pattern(path)
    with pytest.raises(CorruptFile, match="damaged or cut off"):
        read_pattern(path)


def test_a_changed_byte_is_found_by_the_checksum(tmp_path):
    path = tmp_path / "a.rasx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(
            "Data0/Profile0.txt", "\n".join(f"{a:.3f} {c:g} 1" for a, c in zip(ANGLES, COUNTS, strict=True))
        )
    data = bytearray(path.read_bytes())
    place = data.index(b"45.000 ")
    data[place + 7] = ord("9") if data[place + 7] != ord("9") else ord("1")
    path.write_bytes(bytes(data))
    with pytest.raises(CorruptFile, match="CRC"):
        read_pattern(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("declared", [f"{LAUGHS}]>", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'>", "<!doctype html>"])
def test_entities_are_refused_before_they_are_read(declared, encoding, tmp_path):
    text = xrdml_text(ANGLES, COUNTS).replace("<xrdMeasurements", f"{declared}<xrdMeasurements", 1)
    text = text.replace('encoding="UTF-8"', f'encoding="{encoding}"')
    path = tmp_path / "a.xrdml"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(CorruptFile, match="entities"):
        read_pattern(path)
    conditions = f"<?xml version='1.0'?>{declared}<a/>"
    with pytest.raises(CorruptFile, match="entities"):
        read_pattern(rasx(tmp_path / "b.rasx", ANGLES, COUNTS, conditions=conditions))


@pytest.mark.parametrize("part", [0.1, 0.4, 0.8, 0.99])
def test_xml_that_is_cut_off(part, tmp_path):
    text = xrdml_text(ANGLES, COUNTS)
    path = tmp_path / "a.xrdml"
    path.write_text(text[: int(part * len(text))])
    with pytest.raises(CorruptFile, match="cut off"):
        read_pattern(path)


def test_xml_without_end(tmp_path):
    path = tmp_path / "a.xrdml"
    path.write_text("<xrdMeasurements>" + "<a>" * 200_000)
    with pytest.raises(CorruptFile, match="too deep"):
        read_pattern(path)


WRONG_XRDML = {
    "no points": (lambda t: t.replace("dataPoints", "nothing"), "no data points"),
    "no counts": (lambda t: t.replace("intensities", "nothing"), "neither counts nor intensities"),
    "words": (lambda t: t.replace('<intensities unit="counts">', '<intensities unit="counts">many '), "what is none"),
    "fewer factors": (
        lambda t: t.replace("<intensities", "<beamAttenuationFactors>1 1</beamAttenuationFactors><intensities"),
        "2 attenuation factors",
    ),
    "factor 0": (
        lambda t: t.replace("<intensities", "<commonBeamAttenuationFactor>0</commonBeamAttenuationFactor><intensities"),
        "not above 0",
    ),
    "unit": (lambda t: t.replace('<intensities unit="counts">', '<intensities unit="dB">'), "counts are needed"),
    "two scans": (lambda t: t.replace("</scan>", "<dataPoints/></scan>"), "2 scans"),
}


@pytest.mark.parametrize("name", WRONG_XRDML)
def test_xrdml_that_lacks_something(name, tmp_path):
    change, said = WRONG_XRDML[name]
    path = tmp_path / "a.xrdml"
    path.write_text(change(xrdml_text(ANGLES, COUNTS)))
    with pytest.raises(InputError, match=said):
        read_pattern(path)


def test_wavelengths_that_no_tube_gives_are_not_believed(tmp_path):
    path = tmp_path / "a.xrdml"
    for value in ("0", "-1", "154.06", "nan", "x"):
        path.write_text(xrdml_text(ANGLES, COUNTS, wavelengths=f"<kAlpha1>{value}</kAlpha1>"))
        one = read_pattern(path)
        assert one.radiation.kalpha1_nm == pytest.approx(0.15405929)
        assert any("wavelength" in words for words in one.said)


@pytest.mark.parametrize("suffix", [".raw", ".brml", ".xy", ".csv"])
def test_binary_data_is_named(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"RAW1.01\0\0\0" + bytes(range(256)) * 20)
    assert not is_pattern(path)
    with pytest.raises(UnsupportedFormat, match="export"):
        read_pattern(path)


@pytest.mark.parametrize("seed", range(60))
def test_torn_bytes_give_a_pattern_or_a_message(seed, tmp_path):
    """Bytes changed, cut out and doubled in every format."""
    dice = random.Random(seed)
    source = tmp_path / "whole"
    kind = (".rasx", ".xrdml", ".xy", ".csv")[seed % 4]
    if kind == ".rasx":
        rasx(source, ANGLES, COUNTS)
    elif kind == ".xrdml":
        source.write_text(xrdml_text(ANGLES, COUNTS))
    else:
        parted = " " if kind == ".xy" else ";"
        source.write_text("\n".join(f"{a:.3f}{parted}{c:g}" for a, c in zip(ANGLES, COUNTS, strict=True)))
    data = bytearray(source.read_bytes())
    for _ in range(dice.randint(1, 12)):
        at, way = dice.randrange(len(data)), dice.randrange(4)
        if way == 0:
            data[at] = dice.randrange(256)
        elif way == 1:
            del data[at : at + dice.randint(1, 400)]
        elif way == 2:
            data[at:at] = data[at : at + dice.randint(1, 400)]
        else:
            data[at : at + 3] = bytes(dice.choice(b"0123456789.,;-e \t\n<>&\0") for _ in range(3))
    path = tmp_path / f"torn{kind}"
    path.write_bytes(bytes(data))
    is_pattern(path)
    try:
        one = read_pattern(path)
    except InputError as problem:
        said = str(problem)
    else:
        said = path.name
        assert len(one.counts) == len(one.two_theta_deg)
        assert (one.counts >= 0).all()
        assert (one.variance_per_count > 0).all()
    assert path.name in said  # a message names the file
