"""From files of the lab to findings: recognize, read, measure, and say it in TOML that a study, recipe or cell takes.

Each file is measured by itself. Several patterns are set side by side besides, profiles of secondary ions compared with
each other; the spectra or the voltammograms of several files are one series only where a person says that they are of
one cell. A file that cannot be read stops no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlith.analysis import tasks_of
from interlith.answers import fault, writable
from interlith.errors import CorruptFile, EnvironmentError_, InputError, InterlithError, UnsupportedFormat
from interlith.findings import Finding, Findings, plain, replace_file, write, write_tables, writing
from interlith.units import ZERO_CELSIUS_K

if TYPE_CHECKING:
    from interlith.characterize.measured import Measured
    from interlith.record import Record
    from interlith.report.figures import Figure

KINDS = {
    "xrd": "X-ray diffraction",
    "tga": "thermogravimetry",
    "eis": "impedance spectroscopy",
    "cv": "cyclic voltammetry",
    "tof-sims": "secondary ions (TOF-SIMS)",
}
READ_HERE = {  # all else is read as cycler files are
    "xrd": (".rasx", ".xrdml", ".xy", ".csv", ".txt"),
    "tga": (".csv", ".txt"),
    "tof-sims": (".txt",),
}
OF_ONE_CELL = ("eis", "cv")  # several files can be one series
NOT_KNOWN = (
    f"none of {', '.join(KINDS)} is recognized in it. --kind says which it is meant to be; a scalar from Raman, XPS or "
    "SEM can be typed into a study"
)
PARAMETERS = "parameters"
ROOM_C, HOTTEST_C = 25.0, 1000.0  # where no temperature is given; above, it is no cell's
OF_A_KIND = {  # options that go with one kind of measurement
    "bare": ("--bare", "tga"),
    "areal_mass_mg_per_cm2": ("--areal-mass-mg-per-cm2", "tga"),
    "masks": ("--mask", "xrd"),
    "substrate": ("--substrate", "xrd"),
    "instrument_width_deg": ("--instrument-width-deg", "xrd"),
    "circuit": ("--circuit", "eis"),
    "symmetric": ("--symmetric", "eis"),
    "electrode": ("--electrode", "eis"),
    "area_ratio": ("--area-ratio", "eis"),
    "concentration_mol_per_L": ("--concentration-mol-per-L", "cv"),
    "wavelength_nm": ("--wavelength-nm", "xrd"),
    "initial_mass_mg": ("--initial-mass-mg", "tga"),
    "scan_rate_mV_per_s": ("--scan-rate-mV-per-s", "cv"),
}
PATTERNS = (".rasx", ".xrdml", ".xy", ".xye")  # names that only patterns have
Tell = Callable[[Finding], None]
Done = tuple[Finding, "list[Figure]"]


@dataclass(frozen=True)
class CharacterizeOptions:
    """What a person says of the files beside naming them. None: not said.

    bare: thermogram of the bare paper. masks: "LOW-HIGH" in degrees, with ":NAME" where it has one. substrate: of the
    pattern; several joined by "+". circuit: of the spectra, for instance "R0-p(R1,C1)"; start: its values to begin
    with, all of them, "R0_ohm=0.01"; roles: what its resistances are, "film=R1_ohm". symmetric: two equal electrodes
    in series. area_ratio: of spectra, real over geometric area of the electrode, m2/m2. join: files of one kind are of
    one cell, a series of spectra or a set of scan rates. electrode: that of the study which spectra belong to, "host"
    or "foil". wavelength_nm: K-alpha 1 of the tube. initial_mass_mg: of each burnt sample whose file does not tell it.
    scan_rate_mV_per_s: of sweeps whose file holds no time.
    """

    kind: str | None = None
    area_cm2: float | None = None
    area_ratio: float | None = None
    temperature_C: float | None = None
    bare: Path | None = None
    areal_mass_mg_per_cm2: float | None = None
    masks: tuple[str, ...] = ()
    substrate: str | None = None
    instrument_width_deg: float | None = None
    circuit: str | None = None
    start: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    symmetric: bool = False
    join: bool = False
    electrode: str | None = None
    concentration_mol_per_L: float | None = None
    wavelength_nm: float | None = None
    initial_mass_mg: float | None = None
    scan_rate_mV_per_s: float | None = None
    use_cache: bool = True
    debug: bool = False

    def __post_init__(self) -> None:
        """Refuse at once what would be wrong for every file."""
        masks_from(self.masks)
        positive = {
            "--area-cm2": self.area_cm2,
            "--area-ratio": self.area_ratio,
            "--areal-mass-mg-per-cm2": self.areal_mass_mg_per_cm2,
            "--instrument-width-deg": self.instrument_width_deg,
            "--concentration-mol-per-L": self.concentration_mol_per_L,
            "--wavelength-nm": self.wavelength_nm,
            "--initial-mass-mg": self.initial_mass_mg,
            "--scan-rate-mV-per-s": self.scan_rate_mV_per_s,
        }
        for name, value in positive.items():
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{name} {value:g}: must be a number above 0")
        if self.temperature_C is not None and not -ZERO_CELSIUS_K < self.temperature_C < HOTTEST_C:
            raise InputError(f"--temperature-C {self.temperature_C:g}: a temperature of a cell in degrees Celsius")
        if (self.start or self.roles) and self.circuit is None:
            raise InputError("--start, --role: go with --circuit")


@dataclass(frozen=True)
class _File:
    """A file whose kind is known, by its name in findings, with what was read of it."""

    name: str
    path: Path
    kind: str
    held: Any
    flags: tuple[Any, ...] = ()


def characterize_files(
    paths: Sequence[Path],
    options: CharacterizeOptions | None = None,
    *,
    out: Path | None = None,
    tell: Tell = lambda finding: None,
) -> Findings:
    """Findings of all files; with `out`, tables, figures, one page and parameters/NAME.toml are written there.

    tell(finding) is called as each is done. Raises InputError for no files and for options that cannot be meant.
    """
    asked = options or CharacterizeOptions()
    done: list[Done] = []
    with writable(out):
        for finding in _findings(paths, asked):
            done.append((finding, _drawn(finding, out)))
            tell(finding)
    items = tuple(replace(finding, tables={}) for finding, _ in done)
    findings = Findings("Characterization", items)
    if out is not None:
        _write(findings, done, out)
    return findings


def kind_of(path: Path, use_cache: bool = True) -> str:
    """Which measurement a file holds, by its content. Raises InputError for none of KINDS.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.csv")
    ...     rows = "".join(f"{t},{100 - t / 20}\\n" for t in range(0, 900, 30))
    ...     _ = path.write_text(f"Temperature (C),Mass (%)\\n{rows}")
    ...     kind_of(path)
    'tga'
    """
    return _opened(path.name, path, None, use_cache).kind


def masks_from(texts: Sequence[str]) -> list[tuple[float, float] | tuple[float, float, str]]:
    """Ranges of angles from the command line. Raises InputError for anything else.

    >>> masks_from(["32.5-33.4:Si 200", "61-62"])
    [(32.5, 33.4, 'Si 200'), (61.0, 62.0)]
    """
    found: list[tuple[float, float] | tuple[float, float, str]] = []
    for text in texts:
        span, _, name = text.partition(":")
        low, _, high = span.partition("-")
        try:
            ends = (float(low), float(high))
        except ValueError:
            raise InputError(f"--mask {text}: write LOW-HIGH in degrees, for instance 32.5-33.4:substrate") from None
        if not 0 < ends[0] < ends[1] < 180:
            raise InputError(f"--mask {text}: from a lower to a higher angle, between 0 and 180 degrees")
        found.append((*ends, name) if name else ends)
    return found


def _findings(paths: Sequence[Path], asked: CharacterizeOptions) -> Any:
    """Each finding as it is made: failures as they come, then by kind, those of one kind side by side at its end."""
    held: dict[str, list[_File]] = {kind: [] for kind in KINDS}
    for task in tasks_of(paths, join=False):
        path = task.paths[0]
        try:
            work = partial(_opened, task.name, path, asked.kind, asked.use_cache, asked.scan_rate_mV_per_s)
            opened = _guarded(work, path, asked)
            held[opened.kind].append(opened)
        except InterlithError as problem:
            yield _failed(task.name, path, problem)
    for name, (option, kind) in OF_A_KIND.items():
        if getattr(asked, name) and any(held.values()) and not held[kind]:
            raise InputError(f"{option}: none of the files is a measurement of kind {kind}")
    for kind, files in held.items():
        together = kind == "tof-sims" or (asked.join and kind in OF_ONE_CELL)
        if files and together:
            yield _measured(_name(files), files, asked)
        elif files:
            yield from _one_by_one(kind, files, asked)


def _one_by_one(kind: str, files: Sequence[_File], asked: CharacterizeOptions) -> Any:
    each: list[tuple[str, Measured]] = []
    for file in files:
        try:
            found = _guarded(partial(_measure, kind, [file], asked), file.path, asked)
        except InterlithError as problem:
            yield _failed(file.name, file.path, problem)
            continue
        each.append((file.path.name, found))
        yield _finding(file.name, [file], found)
    if kind == "xrd" and len(each) > 1:
        from interlith.characterize.diffraction.xrd_series import measure_series

        yield _finding("patterns", files, measure_series(each))


def _measured(name: str, files: Sequence[_File], asked: CharacterizeOptions) -> Finding:
    path = files[0].path
    try:
        return _finding(name, files, _guarded(partial(_measure, files[0].kind, files, asked), path, asked))
    except InterlithError as problem:
        return _failed(name, path, problem)


def _guarded(work: Callable[[], Any], path: Path, asked: CharacterizeOptions) -> Any:
    """What the work gives; a fault of ours, which no file should be able to cause, is told without a traceback."""
    try:
        return work()
    except InterlithError:
        raise
    except Exception as problem:
        if asked.debug:
            raise
        raise fault(path, problem) from problem


def _opened(name: str, path: Path, kind: str | None, use_cache: bool, scan_rate_mV_per_s: float | None = None) -> _File:
    """Read a file as the kind that was said, else as the first whose content it has."""
    from interlith.characterize.diffraction.pattern import is_pattern, read_pattern
    from interlith.characterize.secondary_ions.tof_sims import is_tof_sims, read_profile
    from interlith.characterize.thermogravimetry.thermogram import is_tga, read_tga

    if not path.is_file():
        raise InputError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
    if kind is None and path.suffix.lower() in PATTERNS:
        kind = "xrd"
    readers = {
        "tof-sims": (is_tof_sims, read_profile),
        "tga": (is_tga, read_tga),
        "xrd": (is_pattern, read_pattern),
    }
    for known, (recognize, read) in readers.items():
        if kind == known or (kind is None and recognize(path)):
            return _File(name, path, known, read(path))
    return _of_record(name, path, kind, use_cache, scan_rate_mV_per_s)


def _of_record(name: str, path: Path, kind: str | None, use_cache: bool, scan_rate_mV_per_s: float | None) -> _File:
    """Spectra or voltammograms, as the readers of cycler files give them."""
    from interlith.characterize.impedance.spectrum import spectra_of
    from interlith.characterize.voltammetry.sweeps import voltammograms
    from interlith.characterize.voltammetry.untimed import is_untimed, read_untimed
    from interlith.cycling.reading import read

    try:
        record: Record = read(path, use_cache=use_cache)
    except (CorruptFile, EnvironmentError_):
        raise
    except InputError as problem:
        if kind in (None, "cv") and is_untimed(path):
            made = read_untimed(path, scan_rate_mV_per_s)
            first, *more = voltammograms(made, path.name)
            return _File(name, path, "cv", (replace(first, notes=(*made.provenance.notes, *first.notes)), *more))
        if kind is not None:
            raise
        raise UnsupportedFormat(f"{path.name}: {NOT_KNOWN}") from problem
    has_spectra = record.spectra().height > 0
    if kind == "eis" or (kind is None and has_spectra):
        return _File(name, path, "eis", spectra_of(record.table, path.name), record.flags)
    try:
        return _File(name, path, "cv", voltammograms(record, path.name), record.flags)
    except InputError as problem:
        if kind == "cv":
            raise
        why = str(problem).removeprefix(f"{path.name}: ")
        said = f"{path.name}: no spectrum, and no voltammogram: {why}. Charge and discharge are for interlith analyze"
        raise InputError(said) from problem


def _measure(kind: str, files: Sequence[_File], asked: CharacterizeOptions) -> Measured:
    """One measurement of one or several files."""
    return {"xrd": _xrd, "tga": _tga, "eis": _eis, "cv": _cv, "tof-sims": _tof_sims}[kind](files, asked)


def _xrd(files: Sequence[_File], asked: CharacterizeOptions) -> Measured:
    from interlith.characterize.diffraction.xrd import measure_xrd

    return measure_xrd(
        files[0].held,
        masks=masks_from(asked.masks) or None,
        substrate=asked.substrate,
        instrument_width_deg=asked.instrument_width_deg,
        wavelength_nm=asked.wavelength_nm,
    )


def _tga(files: Sequence[_File], asked: CharacterizeOptions) -> Measured:
    from interlith.characterize.thermogravimetry.tga import measure_tga
    from interlith.characterize.thermogravimetry.thermogram import read_tga

    bare = None if asked.bare is None else read_tga(asked.bare)
    return measure_tga(
        files[0].held,
        bare,
        areal_mass_mg_per_cm2=asked.areal_mass_mg_per_cm2,
        initial_mass_mg=asked.initial_mass_mg,
    )


def _eis(files: Sequence[_File], asked: CharacterizeOptions) -> Measured:
    from interlith.characterize.impedance.eis import measure_eis

    return measure_eis(
        [spectrum for file in files for spectrum in file.held],
        area_cm2=asked.area_cm2,
        area_ratio=asked.area_ratio,
        temperature_C=asked.temperature_C,
        n_electrodes=2 if asked.symmetric else 1,
        electrode=asked.electrode,  # type: ignore[arg-type]
        circuit=asked.circuit,
        start={name: _number(name, text) for name, text in _pairs("--start", asked.start).items()} or None,
        roles=_pairs("--role", asked.roles) or None,
    )


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE of the command line."""
    found = dict(text.partition("=")[::2] for text in texts)
    if wrong := [text for text in texts if not all(text.partition("=")[::2])]:
        raise InputError(f"{option} {wrong[0]}: write NAME=VALUE")
    return found


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise InputError(f"--start {name}={text}: a number above 0")
    return value


def _cv(files: Sequence[_File], asked: CharacterizeOptions) -> Measured:
    from interlith.characterize.voltammetry.cv import measure_cv

    return measure_cv(
        [sweep for file in files for sweep in file.held],
        area_cm2=asked.area_cm2,
        concentration_mol_per_L=asked.concentration_mol_per_L,
        temperature_C=ROOM_C if asked.temperature_C is None else asked.temperature_C,
    )


def _tof_sims(files: Sequence[_File], asked: CharacterizeOptions) -> Measured:
    from interlith.characterize.secondary_ions.tof_sims import measure_tof_sims

    return measure_tof_sims([file.held for file in files])


def _name(files: Sequence[_File]) -> str:
    more = "" if len(files) == 1 else f"-and-{len(files) - 1}-more"
    return files[0].name + more


def _finding(name: str, files: Sequence[_File], found: Measured) -> Finding:
    from interlith.parts.quantity import as_toml

    summary = {
        "path": str(files[0].path),
        "paths": [str(file.path) for file in files],
        "kind": "characterize",
        "measurement": found.kind,
        "kind_reason": KINDS[found.kind],
        "error": None,
        "flags": [asdict(flag) for file in files for flag in file.flags],
        "headline": found.headline,
        "said": list(found.said),
        "quantities": [one.as_json() for one in found.quantities],
        "toml": as_toml(found.quantities),
        "results": _results(found),
    }
    return Finding(name, plain(summary), found.tables)


def _results(found: Measured) -> dict[str, Any]:
    """Its values by the kind of measurement, and what is a table of values in itself under its own name."""
    own = {key: value for key, value in found.values.items() if not _is_group(value)}
    return {found.kind: own, **{key: dict(value) for key, value in found.values.items() if _is_group(value)}}


def _is_group(value: Any) -> bool:
    """Whether a value is a mapping of several things, and not one number with its interval."""
    return (
        isinstance(value, Mapping)
        and not all(isinstance(item, Mapping) for item in value.values())
        and not (set(value) <= {"value", "low", "high", "standard_error"})
    )


def _failed(name: str, path: Path, problem: InterlithError) -> Finding:
    blank: Mapping[str, Any] = {"headline": "", "said": [], "quantities": [], "toml": "", "results": {}, "flags": []}
    said = {"path": str(path), "paths": [str(path)], "kind": "characterize", "measurement": None, "kind_reason": None}
    error = {"type": type(problem).__name__, "message": str(problem)}
    return Finding(name, plain({**said, "error": error, **blank}))


def _drawn(finding: Finding, out: Path | None) -> list[Figure]:
    if out is None or not finding.tables:
        return []
    from interlith.report.figures import draw

    write_tables(finding, out)
    return draw(finding, out)


def _merged(findings: Findings) -> dict[str, str]:
    """By the file that takes them, the quantities of all findings as one text; what several say is a remark."""
    lines: dict[str, dict[str, dict[str, list[str]]]] = {}
    for item in findings.items:
        for row in item.summary["quantities"]:
            if row["file"] is not None:
                of_table = lines.setdefault(row["file"], {}).setdefault(row["table"], {})
                of_table.setdefault(row["name"], []).append(row["line"])
    found = {}
    for file, tables in lines.items():
        parts = []
        for table, names in tables.items():
            said = [every[0] if len(every) == 1 else _several(name, every) for name, every in names.items()]
            parts.append("\n".join([f"[{table}]", *said]))
        found[file] = "\n\n".join(parts)
    return found


def _several(name: str, lines: Sequence[str]) -> str:
    return "\n".join([f"# {name}: said by {len(lines)} files, choose", *(f"# {line}" for line in lines)])


def _write(findings: Findings, done: Sequence[Done], out: Path) -> None:
    from interlith.report.page import write_page

    write(findings, out)
    with writing(out / PARAMETERS) as folder:
        for item in findings.items:
            if item.summary["toml"]:
                replace_file(folder / f"{item.name}.toml", f"{item.summary['toml']}\n".encode())
        for file, text in _merged(findings).items():
            replace_file(folder / f"for-a-{file}.toml", f"{text}\n".encode())
    write_page(findings, {finding.name: figures for finding, figures in done}, out)
