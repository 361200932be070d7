"""The commands of a host: screen, coat, deposit, characterize. Each is one call; no physics and no arithmetic here."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from interlith.cli_options import (
    Anew,
    Area,
    ArealMass,
    AreaRatio,
    Bare,
    Cached,
    CheckWith,
    CircuitText,
    Concentration,
    Debug,
    Device,
    Devices,
    Face,
    InitialMass,
    Inputs,
    InstrumentWidth,
    Json,
    LabFiles,
    Mask,
    Material,
    Measurement,
    Networks,
    NoCache,
    OneCell,
    Out,
    Potentials,
    Quick,
    Quiet,
    Role,
    ScanRate,
    Searchers,
    Side,
    SoFar,
    Start,
    Substrate,
    Symmetric,
    Temperature,
    Wavelength,
)
from interlith.cli_running import (
    STOPPED_KEPT,
    charge_told,
    errors_told,
    files_told,
    progress_told,
    searches_told,
    status,
    tell_lists,
    tell_note,
)
from interlith.errors import InputError
from interlith.folders import chosen_folder

KEPT = "deposit"  # name of the cache of checkpoints


def screen(
    surfaces: Annotated[
        str | None, typer.Argument(help="A file of surfaces, or a shipped one.", metavar="[SURFACES.toml|NAME]")
    ] = None,
    material: Material = None,
    face: Face = None,
    models: Potentials = None,
    quick: Quick = False,
    cached: Cached = False,
    so_far: SoFar = False,
    check_with: CheckWith = None,
    write_inputs: Inputs = None,
    show_list: Annotated[bool, typer.Option("--list", help="List shipped surfaces, crystals, models.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the file of surfaces, to begin with.")] = False,
    out: Out = None,
    workers: Searchers = None,
    no_cache: Anew = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Crystal faces -> binding of lithium, barriers, error bars."""
    with errors_told(debug, stopped="stopped; --no-cache keeps nothing. To begin again" if no_cache else STOPPED_KEPT):
        from interlith.screening import file_of, lists, options_from, screened
        from interlith.screening import screen as search_all

        if show_list:
            tell_lists(lists(), as_json)
            return
        if show and not surfaces:
            raise InputError("--show: give a file of surfaces, or a shipped one: reference-surfaces")
        if surfaces is None and material is None:
            raise InputError("give a file of surfaces, a shipped one (reference-surfaces), or --material with --face")
        if show:
            typer.echo(file_of(str(surfaces)), nl=False)
            return
        asked = options_from(
            material,
            face or [],
            models,
            is_quick=quick,
            use_store=not no_cache,
            so_far=so_far,
            check_with=check_with.value if check_with else None,
            inputs_for=write_inputs.value if write_inputs else None,
        )
        if cached:
            findings = screened(surfaces, asked, out=out)
        else:
            with searches_told(quiet) as tell:
                findings = search_all(surfaces, asked, out=out, workers=workers, tell=tell)
        if as_json:
            typer.echo(json.dumps(findings.items[0].summary, ensure_ascii=False))
            return
        from interlith.report.terminal_surface import print_surfaces

        print_surfaces(findings, out / "report.html" if out is not None else None)


def coat(
    recipe: Annotated[
        str | None, typer.Argument(help="A recipe file, or a shipped recipe.", metavar="[RECIPE.toml|NAME]")
    ] = None,
    loading: Annotated[
        float | None, typer.Option(metavar="FRACTION", help="What cycles, or what batch, reach it; 0.12 is 12 wt%.")
    ] = None,
    fit: Annotated[
        bool, typer.Option("--fit", help="Fit nuclei and growth per cycle to the data of the file.")
    ] = False,
    reading: Annotated[
        str | None, typer.Option(help="Take one reading of an ambiguous source, for instance nucleation.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="E.g. batch_mass_kg=0.5; repeatable.")
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List shipped recipes.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the recipe's file, to begin with.")] = False,
    out: Out = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Coat a powder by a recipe, and make a host of it."""
    with errors_told(debug, stopped="stopped. To begin again"):
        from interlith.coat import CoatOptions, coat_recipe, file_of, lists

        if show_list:
            tell_lists(lists(), as_json)
            return
        if recipe is None:
            raise InputError("give a recipe file, or a shipped recipe: reference-coating")
        if show:
            typer.echo(file_of(recipe), nl=False)
            return
        findings = coat_recipe(recipe, CoatOptions(loading, reading, fit, tuple(changes or ())), out=out)
        if as_json:
            typer.echo(json.dumps(findings.items[0].summary, ensure_ascii=False))
            return
        from interlith.report.terminal_host import print_coating

        print_coating(findings, out / "report.html" if out is not None else None)


def deposit(
    given: Annotated[
        str | None,
        typer.Argument(help="A file of a host, a shipped one, or an image.", metavar="[STUDY.toml|NAME|IMAGE]"),
    ] = None,
    network_only: Annotated[
        bool, typer.Option("--network-only", help="Pores and transport of the network, no lithium.")
    ] = False,
    sample: Annotated[str | None, typer.Option(help="A shipped sample: its paper, its surfaces.")] = None,
    voxels: Annotated[int | None, typer.Option(min=8, max=4096, help="Across the box of fibres.")] = None,
    cycles: Annotated[int, typer.Option(min=1, max=1000, help="How often the protocol is followed.")] = 1,
    voxel_um: Annotated[float | None, typer.Option("--voxel-um", help="Of an image that does not say it.")] = None,
    solid: Annotated[
        list[float] | None, typer.Option("--solid", metavar="VALUE", help="Of an image: what is solid; repeatable.")
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List shipped files and samples.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the file, to begin with.")] = False,
    out: Out = None,
    workers: Networks = None,
    device: Device = Devices.cpu,
    no_cache: Anew = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Lithium in the pores of a host, voxel by voxel.

    --network-only: pores, area and transport of the network, from fibres or from an image.
    """
    with errors_told(debug, stopped=_stopped(network_only, no_cache)):
        from interlith.answers import others_there
        from interlith.networks import STAGES, NetworkOptions, file_of, lists, network_findings, read

        if show_list:
            tell_lists(lists(), as_json)
            return
        if given is None:
            raise InputError("give a file of a host, a shipped one (reference-deposit), or an image of one")
        if show:
            typer.echo(file_of(given), nl=False)
            return
        if network_only and (cycles != 1 or workers is not None or no_cache):
            raise InputError("--cycles, --workers, --no-cache: do not go with --network-only")
        asked = read(given, NetworkOptions(sample, voxels, voxel_um, tuple(solid or ())))
        for text in others_there(out, "network" if network_only else "deposition", asked.name):
            tell_note(text)
        if network_only:
            with progress_told(STAGES * asked.n_networks, quiet, "parts") as tell:
                findings = network_findings(asked, out=out, tell=tell, device=device.value)
        else:
            from interlith.deposition import deposit_findings

            kept = None if no_cache else chosen_folder(KEPT)
            with charge_told(quiet) as told:
                findings = deposit_findings(
                    asked,
                    n_cycles=cycles,
                    out=out,
                    workers=workers,
                    device=device.value,
                    kept_in=kept,
                    tell=told,
                    warn=tell_note,
                )
        if as_json:
            typer.echo(json.dumps(findings.items[0].summary, ensure_ascii=False))
            return
        from interlith.report.terminal_network import print_deposition, print_network

        show_it = print_network if network_only else print_deposition
        show_it(findings, out / "report.html" if out is not None else None)


def _stopped(network_only: bool, no_cache: bool) -> str:
    if no_cache:
        return "stopped; --no-cache keeps nothing. To begin again"
    if network_only or chosen_folder(KEPT) is None:
        return "stopped. To begin again"
    return "stopped; what the last checkpoint holds, one every 20 s, is kept. To go on"


def characterize(
    files: LabFiles,
    kind: Measurement = None,
    area_cm2: Area = None,
    area_ratio: AreaRatio = None,
    temperature_C: Temperature = None,
    bare: Bare = None,
    areal_mass_mg_per_cm2: ArealMass = None,
    initial_mass_mg: InitialMass = None,
    substrate: Substrate = None,
    mask: Mask = None,
    instrument_width_deg: InstrumentWidth = None,
    wavelength_nm: Wavelength = None,
    circuit: CircuitText = None,
    start: Start = None,
    role: Role = None,
    symmetric: Symmetric = False,
    join: OneCell = False,
    electrode: Side = None,
    concentration_mol_per_L: Concentration = None,
    scan_rate_mV_per_s: ScanRate = None,
    out: Out = None,
    no_cache: NoCache = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """XRD, TGA, EIS, CV, TOF-SIMS -> parameters, with errors.

    A file that cannot be read stops no other; the exit status is then 3 (or 5 when something must be installed).
    """
    with errors_told(debug, stopped="stopped. To begin again"):
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its matrices are small: threads get in each other's way
        from interlith.analysis import tasks_of
        from interlith.measurements import CharacterizeOptions, characterize_files
        from interlith.report.terminal_host import print_measured

        options = CharacterizeOptions(
            kind=kind.value if kind else None,
            area_cm2=area_cm2,
            area_ratio=area_ratio,
            temperature_C=temperature_C,
            bare=bare,
            areal_mass_mg_per_cm2=areal_mass_mg_per_cm2,
            masks=tuple(mask or ()),
            substrate=substrate,
            instrument_width_deg=instrument_width_deg,
            circuit=circuit,
            start=tuple(start or ()),
            roles=tuple(role or ()),
            symmetric=symmetric,
            join=join,
            electrode=electrode.value if electrode else None,
            concentration_mol_per_L=concentration_mol_per_L,
            wavelength_nm=wavelength_nm,
            initial_mass_mg=initial_mass_mg,
            scan_rate_mV_per_s=scan_rate_mV_per_s,
            use_cache=not no_cache,
            debug=debug,
        )
        with files_told(len(tasks_of(files, join=False)), quiet) as tell:
            findings = characterize_files(files, options, out=out, tell=tell)
        if as_json:
            typer.echo(json.dumps(findings.as_json(), ensure_ascii=False))
        else:
            print_measured(findings, out / "report.html" if out is not None else None)
        raise typer.Exit(status(findings))
