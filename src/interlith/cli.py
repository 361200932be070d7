"""The command line. Each command is one call; no physics and no arithmetic here.

Heavy modules are imported inside the commands, so that --help answers at once.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interlith import __version__
from interlith.cli_host import characterize, coat, deposit, screen
from interlith.cli_options import (
    Area,
    Cells,
    Columns,
    Current,
    Debug,
    Electrode,
    Files,
    Join,
    Json,
    Kind,
    Limits,
    Mass,
    Models,
    NoCache,
    Offset,
    Out,
    Processes,
    Quiet,
    Range,
    Settings,
    Spectra,
    Workers,
)
from interlith.cli_running import answer, compiling_told, errors_told, files_told, progress_told, status, tell_lists
from interlith.cli_study import check, demo, doctor, examples, merge, run, sweep
from interlith.errors import InputError

if TYPE_CHECKING:
    from interlith.cell_test import CellTest
    from interlith.findings import Findings

SYNTHETIC = "synthetic"  # stands for files of known truth, where a file can stand
app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Lithium-metal cells with host interlayers: where does the lithium go, and what would bring it back?",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"interlith {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of every command stand behind its name."""


@app.command()
def analyze(
    files: Files,
    kind: Kind = None,
    area_cm2: Area = None,
    mass_mg: Mass = None,
    working_electrode: Electrode = None,
    offset_uA: Offset = None,
    range_mA: Range = None,
    current_mA: Current = None,
    settings: Settings = None,
    spectra: Spectra = None,
    columns: Columns = None,
    threshold: Limits = None,
    join: Join = False,
    out: Out = None,
    workers: Workers = None,
    no_cache: NoCache = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Cycler files -> cycles, efficiencies, life, shorts, report.

    `synthetic` stands for files of known truth.

    A file that cannot be read stops no other; the exit status is then 3 (or 5 when something must be installed).
    """
    with errors_told(debug):
        from interlith.cycling.isolation import warm_up

        if [str(path) for path in files] == [SYNTHETIC] and not files[0].exists():
            _analyze_synthetic(out, as_json, quiet)
            return
        if len(files) == 1:
            warm_up(files)
        from interlith.analysis import AnalyzeOptions, analyze_files, tasks_of
        from interlith.cycling.formats import ReadOptions
        from interlith.cycling.formats.format import columns_from
        from interlith.cycling.thresholds import thresholds_from

        options = AnalyzeOptions(
            kind=kind.value if kind else None,
            area_cm2=area_cm2,
            active_mass_mg=mass_mg,
            working_electrode=working_electrode.value if working_electrode else None,
            offset_uA=offset_uA,
            range_mA=range_mA,
            thresholds=thresholds_from(threshold or []),
            reading=ReadOptions(columns_from(columns or []), current_mA, settings),
            spectra=spectra,
            use_cache=not no_cache,
            debug=debug,
        )
        with files_told(len(tasks_of(files, join=join)), quiet) as tell:
            findings = analyze_files(files, options, out=out, workers=workers, join=join, tell=tell)
        answer(findings, out, as_json)
        raise typer.Exit(status(findings))


def _analyze_synthetic(out: Path | None, as_json: bool, quiet: bool) -> None:
    """The SYNTHETIC tests, written as files and analyzed, truth beside result."""
    from interlith.analysis import analyze_examples
    from interlith.cycling.synthetic import examples as tests_of_known_truth

    tests, folder = tests_of_known_truth(), out or Path(f"interlith-{SYNTHETIC}")
    with files_told(len(tests), quiet) as tell:
        findings = analyze_examples(tests, folder, tell)
    answer(findings, folder, as_json)


@app.command()
def simulate(
    study_file: Annotated[Path | None, typer.Argument(help="A study file.", metavar="[STUDY.toml]")] = None,
    sample: Annotated[
        str | None, typer.Option(help="A shipped sample, instead of a study file; --list names them.")
    ] = None,
    protocol: Annotated[str | None, typer.Option(help="A shipped protocol, with --sample; aurbach.")] = None,
    cell: Annotated[Cells | None, typer.Option(help="Kind of cell, with --sample; as the protocol says.")] = None,
    model: Annotated[Models | None, typer.Option(help="lumped, or resolved over depth; with --sample.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="A mechanism to switch off; repeatable.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="E.g. host.porosity=0.8; repeatable.")
    ] = None,
    calibrate: Annotated[
        str | None, typer.Option(metavar="FIT.toml", help="Fit parameters to data; a file, or reference.")
    ] = None,
    discriminate: Annotated[
        str | None, typer.Option(metavar="RIVALS.toml", help="Rank tests that tell rivals apart; a file, or reference.")
    ] = None,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="What the model says of results it was not fitted to; takes minutes.")
    ] = False,
    draws: Annotated[int | None, typer.Option(min=1, help="Draws of each sample set, with --held-out; 8.")] = None,
    show_list: Annotated[
        bool, typer.Option("--list", help="List samples, protocols, models, mechanisms; simulate nothing.")
    ] = False,
    out: Out = None,
    workers: Processes = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Simulate a cell, every mAh of lithium accounted for."""
    with errors_told(debug, stopped="stopped. To begin again"):
        if show_list:
            from interlith.simulation import lists

            tell_lists(lists(), as_json)
            return
        own = (study_file, sample, protocol, cell, model, *(without or []), *(changes or []))
        if calibrate is not None or discriminate is not None or held_out:
            _inference(calibrate, discriminate, held_out, draws, own, out, workers, as_json, quiet)
            return
        if draws is not None:
            raise InputError("--draws: goes with --held-out")
        from interlith.cell_test import asked

        wanted = asked(study_file, sample, protocol, cell, model, without or [], changes or [])
        with _steps(wanted, quiet) as tell:
            from interlith.simulation import simulate_test

            findings = simulate_test(wanted, out=out, tell=tell)
        summary = findings.items[0].summary
        if as_json:
            typer.echo(json.dumps(summary, ensure_ascii=False))
        else:
            answer(findings, out, as_json=False)
        if summary["interrupted"]:
            raise KeyboardInterrupt


def _inference(
    calibrate: str | None,
    discriminate: str | None,
    held_out: bool,
    draws: int | None,
    own: tuple[Any, ...],
    out: Path | None,
    workers: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """A fit, a question of rivals or the held-out table, and no option that asks for a simulation besides."""
    asked = [calibrate is not None, discriminate is not None, held_out]
    if sum(asked) > 1 or any(value is not None for value in own) or (draws is not None and not held_out):
        raise InputError(
            "--calibrate and --discriminate each take one file that says everything, --held-out at most --draws: "
            "one of them, and no option that says what to simulate"
        )
    from interlith import inference
    from interlith.report.terminal import print_fit, print_held_out, print_rivals

    make: Callable[..., Findings]
    if calibrate is not None:
        stages, make, show = inference.STAGES_OF_FIT, partial(inference.calibrate_file, calibrate), print_fit
    elif discriminate is not None:
        stages, make, show = (
            inference.STAGES_OF_RIVALS,
            partial(inference.discriminate_file, discriminate),
            print_rivals,
        )
    else:
        stages, make, show = inference.held_out_stages(draws), partial(inference.held_out_table, draws), print_held_out
    with progress_told(stages, quiet, "parts") as told:
        findings = make(out=out, workers=workers, tell=lambda n: told(n, ""))
    if as_json:
        typer.echo(json.dumps(findings.items[0].summary, ensure_ascii=False))
    else:
        show(findings, out / "report.html" if out is not None else None)


@contextmanager
def _steps(wanted: CellTest, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Tell how far a simulation is, and that code is compiled first where that is so."""
    from interlith.cell.compiled import is_kept
    from interlith.cell.models import kernel_name

    if not quiet and not is_kept(kernel_name(wanted.cell, wanted.model)):
        compiling_told("the model", "less than a minute")
    with progress_told(wanted.protocol.n_steps, quiet, "steps") as told:
        yield lambda n_steps: told(n_steps, wanted.name)


@app.command()
def design(
    cell: Annotated[
        str | None, typer.Argument(help="A cell file, or a shipped cell.", metavar="[CELL.toml|NAME]")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target-Wh-per-kg", metavar="X[,Y]", help="What areal capacity, electrolyte, layers reach it."),
    ] = None,
    n_to_p: Annotated[
        float | None, typer.Option("--n-to-p", help="N/P by face of the targets; as in the cell.")
    ] = None,
    reconcile: Annotated[
        str | None,
        typer.Option(
            metavar="[WHOLE[,WITHOUT-LAMINATE]]",
            help="Which assumptions close published Wh/kg; without numbers those of the file.",
        ),
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Cells drawn; 100000, or a million with --reconcile.")] = None,
    efficiency: Annotated[
        float | None, typer.Option(help="Coulombic efficiency, for energy against cycles; 0.995, assumed.")
    ] = None,
    reading: Annotated[
        str | None, typer.Option(help="Take one reading of an ambiguous source, for instance R3.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="E.g. electrolyte.g_per_Ah=1.8; repeatable.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the draws.")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List shipped cells and materials.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the cell's file, to begin with; count nothing.")] = False,
    out: Out = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Masses, energy, audits of a cell, and what to change."""
    with errors_told(debug, stopped="stopped. To begin again"):
        from interlith.design import DesignOptions, design_cell, file_of, lists, targets_from
        from interlith.report.terminal import print_design

        if show_list:
            tell_lists(lists(), as_json)
            return
        if cell is None:
            raise InputError("give a cell file, or a shipped cell, for instance reference-pouch; --list names them")
        if show:
            typer.echo(file_of(cell), nl=False)
            return
        options = DesignOptions(
            targets_from(target), n_to_p, reconcile, samples, efficiency, reading, tuple(changes or ()), seed
        )
        findings = design_cell(cell, options, out=out)
        if as_json:
            typer.echo(json.dumps(findings.items[0].summary, ensure_ascii=False))
        else:
            print_design(findings, out / "report.html" if out is not None else None)


app.command()(run)
app.command()(check)
app.command()(demo)
app.command()(examples)
app.command()(sweep)
app.command()(merge)
app.command()(doctor)
app.command()(screen)
app.command()(coat)
app.command()(deposit)
app.command()(characterize)


@app.command()
def formats(as_json: Json = False) -> None:
    """List what can be read, and what is missing."""
    from interlith.cycling.formats import all_formats
    from interlith.cycling.formats.refused import BY_SUFFIX
    from interlith.measurements import KINDS, READ_HERE

    rows = [_format_row(row) for row in all_formats()]
    lab = [{"name": name, "title": KINDS[name], "suffixes": list(READ_HERE[name])} for name in READ_HERE]
    if as_json:
        typer.echo(json.dumps({"formats": rows, "characterize": lab, "refused": BY_SUFFIX}, indent=1))
        return
    from interlith.report.terminal import print_formats

    print_formats(rows, lab, BY_SUFFIX)


def _format_row(row: Any) -> dict[str, Any]:
    return {
        "name": row.name,
        "title": row.title,
        "suffixes": list(row.suffixes),
        "experimental": row.experimental,
        "extra": row.extra,
        "missing": row.missing(),
    }


def _with_published(arguments: list[str]) -> list[str]:
    """--reconcile without numbers means those that the cell's file says were published."""
    found = []
    for place, word in enumerate(arguments):
        found.append(word)
        if word == "--reconcile":
            from interlith.design import PUBLISHED

            following = arguments[place + 1] if place + 1 < len(arguments) else "--"
            found += [] if following[:1].isdigit() or following == PUBLISHED else [PUBLISHED]
    return found


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):  # what a terminal cannot show is no reason to fail
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(_with_published(sys.argv[1:]), prog_name="interlith")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
