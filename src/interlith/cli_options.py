"""Options that commands share, and the words that some of them take."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Kinds(StrEnum):
    """Kinds of test, as --kind takes them."""

    reservoir = "reservoir"
    efficiency = "efficiency"
    symmetric = "symmetric"
    full = "full"
    anode_free = "anode-free"
    eis = "eis"
    cv = "cv"
    unknown = "unknown"


class Measurements(StrEnum):
    """Kinds of measurement, as --kind of characterize takes them."""

    xrd = "xrd"
    tga = "tga"
    eis = "eis"
    cv = "cv"
    tof_sims = "tof-sims"


class Sides(StrEnum):
    """What --electrode takes."""

    host = "host"
    foil = "foil"


class Cells(StrEnum):
    """What --cell takes."""

    half = "half"
    symmetric = "symmetric"
    li_ncm811 = "li-ncm811"
    li_lco = "li-lco"
    pouch_ncm90 = "pouch-ncm90"
    anode_free = "anode-free"


class Models(StrEnum):
    """What --model takes."""

    lumped = "lumped"
    resolved = "resolved"


class Checks(StrEnum):
    """What --check-with takes."""

    gpaw = "gpaw"
    gpaw_paper = "gpaw-paper"


class Codes(StrEnum):
    """What --write-inputs takes."""

    vasp = "vasp"
    gpaw = "gpaw"


class Devices(StrEnum):
    """What --device takes."""

    cpu = "cpu"
    cuda = "cuda"


class Electrodes(StrEnum):
    """What --working-electrode takes."""

    host = "host"
    positive = "positive"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Files = Annotated[
    list[Path], typer.Argument(help="Cycler or impedance files, or folders of them.", metavar="FILE", readable=False)
]
LabFiles = Annotated[
    list[Path], typer.Argument(help="XRD, TGA, EIS, CV, TOF-SIMS files, or folders", metavar="FILE", readable=False)
]
Kind = Annotated[Kinds | None, typer.Option(help="Kind of test; proposed from the data when not given.")]
Area = Annotated[float | None, typer.Option(help="Electrode area, for values per cm2.")]
AreaRatio = Annotated[float | None, typer.Option(help="Of spectra: real over geometric area, m2/m2, for a study.")]
Mass = Annotated[float | None, typer.Option(help="Mass of active material, for values per g.")]
Electrode = Annotated[Electrodes | None, typer.Option(help="host: plating is negative; positive: charging plates.")]
Offset = Annotated[
    float | None, typer.Option("--offset-uA", help="Current offset of the tester (k = 2); else assumed.")
]
Range = Annotated[float | None, typer.Option("--range-mA", help="Current range used; else the likely one.")]
Current = Annotated[float | None, typer.Option("--current-mA", help="Constant current of a file that has none.")]
Settings = Annotated[Path | None, typer.Option(help="EC-Lab .mps settings of a file without a current.")]
Spectra = Annotated[Path | None, typer.Option(help="Impedance file of the same test.")]
Columns = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN=HEADER", help="E.g. current_ampere=I:mA; repeatable.")
]
Limits = Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Repeatable. The report lists them all.")]
Join = Annotated[bool, typer.Option("--join", help="The files are parts of one test.")]
Out = Annotated[Path | None, typer.Option(help="Folder for report.html, figures and tables.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Files analyzed at once; as many as cores.")]
Processes = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes of a fit or of rivals; as many as cores.")
]
Networks = Annotated[int | None, typer.Option("--workers", min=1, help="Networks at once; as many as cores.")]
Device = Annotated[
    Devices, typer.Option(help="cuda: solve and label on an NVIDIA GPU (extra gpu), all else on the processor.")
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Read every file anew.")]
Start = Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Of --circuit, e.g. R0_ohm=0.01.")]
Role = Annotated[list[str] | None, typer.Option(metavar="ROLE=NAME", help="Of --circuit, e.g. film=R1_ohm.")]
# of characterize
Measurement = Annotated[Measurements | None, typer.Option(help="Of all files; recognized when not given.")]
Temperature = Annotated[float | None, typer.Option("--temperature-C", help="Of a cell; 25, assumed.")]
Bare = Annotated[Path | None, typer.Option(help="TGA of the bare paper, for its ash.")]
ArealMass = Annotated[float | None, typer.Option("--areal-mass-mg-per-cm2", help="Of the paper that was burnt.")]
Substrate = Annotated[str | None, typer.Option(help="E.g. silicon, copper+aluminium, none; recognized.")]
Mask = Annotated[list[str] | None, typer.Option(metavar="LOW-HIGH[:NAME]", help="Degrees left out; repeatable.")]
InstrumentWidth = Annotated[
    float | None, typer.Option("--instrument-width-deg", help="Of a line without broadening; 0.06, assumed.")
]
CircuitText = Annotated[str | None, typer.Option("--circuit", help="Of spectra, e.g. R0-p(R1,C1); chosen otherwise.")]
Symmetric = Annotated[bool, typer.Option("--symmetric", help="Spectra of two equal electrodes.")]
OneCell = Annotated[bool, typer.Option("--join", help="Spectra, or sweeps, of all files are of one cell.")]
Side = Annotated[Sides | None, typer.Option("--electrode", help="Of a study, that spectra of a cell belong to.")]
Concentration = Annotated[
    float | None, typer.Option("--concentration-mol-per-L", help="Of the couple, for Randles-Sevcik.")
]
Wavelength = Annotated[float | None, typer.Option("--wavelength-nm", help="K-alpha 1 of the tube; as in the file.")]
InitialMass = Annotated[float | None, typer.Option("--initial-mass-mg", help="Of a burnt sample, else the file's.")]
ScanRate = Annotated[float | None, typer.Option("--scan-rate-mV-per-s", help="Of sweeps without time.")]
# of screen
Material = Annotated[str | None, typer.Option("--material", help="A shipped crystal, or a file; instead of surfaces.")]
Face = Annotated[list[str] | None, typer.Option("--face", metavar="HKL", help="E.g. 002 or 10-10; repeatable.")]
Potentials = Annotated[str | None, typer.Option("--models", metavar="NAME[,NAME]", help="7net-0,chgnet.")]
Cached = Annotated[bool, typer.Option("--cached", help="The shipped results; nothing is computed.")]
SoFar = Annotated[bool, typer.Option("--so-far", help="What an earlier call finished; nothing is computed.")]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer starts and images: a first look.")]
Anew = Annotated[bool, typer.Option("--no-cache", help="Compute everything anew, and keep nothing.")]
Searchers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; as many as cores, on a GPU one.")]
CheckWith = Annotated[Checks | None, typer.Option("--check-with", help="DFT single points at the models' geometry.")]
Inputs = Annotated[Codes | None, typer.Option("--write-inputs", help="Inputs with the paper's settings, into --out.")]
