"""Write the look-up pages that are lists: ledger, record, thresholds, formats, materials, and keys of files."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic.fields import FieldInfo

from interlith.coating import recipe_file
from interlith.cycling.formats import FORMATS
from interlith.cycling.formats.refused import BY_SUFFIX
from interlith.cycling.thresholds import Thresholds
from interlith.deposit import deposit_file
from interlith.ledger import ENTRIES
from interlith.parts.deposition import Deposition
from interlith.parts.design import CellDesign, Coin, Electrode, Filling, Pouch, Stack, Tabs
from interlith.parts.fibres import FibreNetwork
from interlith.parts.from_file import Reading
from interlith.parts.layer import Layer, Material, material, material_names
from interlith.parts.listing import unit
from interlith.parts.part import Part
from interlith.parts.plausible import SPANS
from interlith.parts.recipe import Dose, Growth, MeasuredHost, Paper, Powder, Prices, Recipe
from interlith.pouch.design_file import Beside, Published
from interlith.protocol import Protocol
from interlith.record import COLUMNS
from interlith.report.surface_words import marked, star
from interlith.report.terminal_study import number_text, paper_text
from interlith.screening import screened
from interlith.study import (
    Closure,
    CoatingAsked,
    Expected,
    FitAsked,
    HeldOutAsked,
    MeasuredAsked,
    PouchAsked,
    StudyFile,
    read_study,
)
from interlith.study import SurfaceAsked as SurfaceOfStudy
from interlith.study_run import run
from interlith.surface.settings import Settings
from interlith.surface.surfaces_file import Paper as PublishedSurface
from interlith.surface.surfaces_file import SurfaceAsked, SurfacesFile
from interlith.sweep import Span, SweepFile

HERE = Path(__file__).resolve().parent / "look-up"
MADE = "_This page is written by docs/make.py from the lists in the code._"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows])


def record() -> str:
    rows = [
        [f"`{c.name}`", c.label, str(c.dtype), "required" if c.required else "", "ours" if c.ours else "BDF", c.meaning]
        for c in COLUMNS
    ]
    names = "Machine names and labels are those of the Battery Data Format (ontology 1.3.0)."
    head = table(["column", "label in text files", "type", "", "from", "meaning"], rows)
    return f"# Columns of a Record\n\n{MADE}\n\n{names}\n\n{head}\n"


def thresholds() -> str:
    rows = [[f"`{t['name']}`", str(t["value"]), t["meaning"], t["source"]] for t in Thresholds().table()]
    body = table(["threshold", "default", "meaning", "source"], rows)
    how = "Set one with `--threshold NAME=VALUE`. Those used are printed with every result."
    return f"# Thresholds\n\n{MADE}\n\n{how}\n\n{body}\n"


def formats() -> str:
    rows = [
        [
            f"`{f.name}`",
            f.title + (" (experimental)" if f.experimental else ""),
            " ".join(f.suffixes),
            f.extra or f.program or "",
        ]
        for f in FORMATS
    ]
    body = table(["format", "reads", "suffixes", "extra or program it needs"], rows)
    refused = table(["suffix", "refused: what to do instead"], [[f"`{s}`", reason] for s, reason in BY_SUFFIX.items()])
    return f"# Formats\n\n{MADE}\n\nContent decides what a file is; its name only breaks ties.\n\n{body}\n\n{refused}\n"


def ledger() -> str:
    rows = [[f"`{e.name}`", e.sort, e.meaning] for e in ENTRIES]
    body = table(["entry", "sort", "meaning"], rows)
    how = (
        "All in mAh per cm2 of the working electrode's geometric area. lithium: an amount that is somewhere; flow: a "
        "total that passed; charge: not lithium; check: what does not close, at most 1e-6."
    )
    return f"# Entries of the Ledger\n\n{MADE}\n\n{how}\n\n{body}\n"


def materials() -> str:
    rows = []
    for name in material_names():
        held = material(name)
        for field in Material.model_fields:
            value = getattr(held, field)
            if field not in held.origins:
                continue
            origin = held.origin(field)
            span = "" if origin.low is None else f" ({origin.low:g} to {origin.high:g})"
            rows.append([f"`{name}`", f"`{field}`", f"{value:g}", origin.kind + span, origin.source])
    how = (
        "Shipped materials, as `interlith design --list` names them. None has a price. A file that names one in "
        "`[materials.NAME]` changes what it says there; one of your own needs a density."
    )
    body = table(["material", "value", "", "kind", "source"], rows)
    return f"# Materials\n\n{MADE}\n\n{how}\n\n{body}\n"


TABLES = (
    ("The file itself", Beside, "What stands beside the cell."),
    ("The cell", CellDesign, None),
    ("`[positive]`, `[negative]`", Electrode, None),
    ("`[[positive.layers]]`, `[positive.foil]`, `[stack.separator]`, `[[case.laminate]]`", Layer, None),
    ("`[stack]`", Stack, None),
    ("`[electrolyte]`", Filling, None),
    ('`[case]` with `kind = "pouch"`', Pouch, None),
    ("`[case.tabs]`", Tabs, None),
    ('`[case]` with `kind = "coin"`', Coin, None),
    ("`[materials.NAME]`", Material, None),
    ("`[published]`", Published, None),
    ("`[[readings]]`", Reading, None),
)


OF_RECIPES = (
    ("The file itself", recipe_file.Beside, "What stands beside the recipe."),
    ("The recipe", Recipe, None),
    ("`[powder]`", Powder, None),
    ("`[zinc]`, `[water]`", Dose, None),
    ("`[growth]`", Growth, None),
    ("`[paper]`", Paper, None),
    ("`[measured]`", MeasuredHost, None),
    ("`[prices]`", Prices, None),
    ("`[published]`", recipe_file.Published, None),
    ("`[[data]]`", recipe_file.Datum, None),
    ("`[[readings]]`", Reading, None),
)
UNCERTAIN = (
    'A number that is not certain is a table: `{ value = 212, low = 205, high = 230, source = "..." }`, with '
    '`distribution = "triangular"` or `"normal"` (cut at low and high, 1.96 standard deviations from its middle), or '
    "`choices = [...]` in place of low and high. A number without a table is stated by you.\n"
)


def cell_file() -> str:
    how = "For `interlith design CELL.toml`; [how to write one](../do/design.md). "
    return _keys("a cell", how, TABLES)


def recipe_file_page() -> str:
    how = (
        "For `interlith coat RECIPE.toml`; [how to write one](../do/coat.md). `[materials.NAME]` changes a material "
        "of the powder, or zinc oxide, as in [a cell file](cell-file.md). "
    )
    return _keys("a recipe", how, OF_RECIPES)


def surfaces_file_page() -> str:
    tables = (
        ("The file", SurfacesFile, None),
        ("`[[surfaces]]`", SurfaceAsked, None),
        ("`[settings]`, and `settings` of one surface", Settings, None),
        ("`paper` of a surface", PublishedSurface, None),
    )
    how = "For `interlith screen SURFACES.toml`; [how to write one](../do/screen.md).\n"
    return _keys("a surfaces", how, tables, "")


def deposit_file_page() -> str:
    tables = (
        ("The file", deposit_file.Asked, "What stands at the top, and the tables below."),
        ("`[network]`", FibreNetwork, None),
        ("`[gap]`", deposit_file.Gap, None),
        ("`[box]`", deposit_file.Box, None),
        ("`[image]`", deposit_file.Image, None),
        ("`[protocol]`", Protocol, "As in a study; constant currents and rests."),
        ("`[deposition]`", Deposition, None),
        ("`[[published]]`", deposit_file.Published, None),
    )
    how = "For `interlith deposit STUDY.toml`; [how to write one](../do/deposit.md). "
    return _keys("a deposition", how, tables)


def study_file_page() -> str:
    tables = (
        ("The file", StudyFile, "What stands at the top, and the tables below. Beside them the keys of one test."),
        ("`[surface]`", SurfaceOfStudy, None),
        ("`[surface.closure]`", Closure, None),
        ("`[coating]`", CoatingAsked, None),
        ("`[fits.NAME]`", FitAsked, None),
        ("`[held_out]`", HeldOutAsked, None),
        ("`[measured.NAME]`", MeasuredAsked, None),
        ("`[pouch]`", PouchAsked, None),
        ("`[[expect]]`", Expected, None),
    )
    tests = table(
        ["key", "what it is"],
        [[f"`{name}`", text] for name, text in OF_A_TEST.items()],
    )
    how = "For `interlith run STUDY.toml`; [how to write one](../do/run.md).\n"
    body = _keys("a study", how, tables, "")
    return f"{body}\n## `[tests.NAME]`, or the top of a study of one test\n\n{tests}\n"


def sweep_file_page() -> str:
    how = "For `interlith sweep SWEEP.toml`; [how to write one](../do/sweep.md).\n"
    return _keys("a sweep", how, OF_SWEEPS, "")


OF_A_TEST = {
    "sample": "a shipped sample, required; `interlith simulate --list` names them",
    "cell": "half, symmetric, li-ncm811, li-lco, pouch-ncm90 or anode-free; as the protocol says where not given",
    "protocol": "a shipped protocol, a table with steps, or a list of PyBaMM strings; aurbach",
    "model": "lumped, or resolved over the depth of host and separator",
    "without": "mechanisms that are switched off",
    "set": "values changed: `[set.host]`, coating, foil, counter, positive, electrolyte, separator, cell",
    "nominal_mAh_per_cm2": "what 1C fills",
}
OF_SWEEPS = (("The file", SweepFile, None), ("A range in `[vary]`", Span, None))


def reference_surfaces() -> str:
    findings = screened("reference-surfaces")
    said = findings.items[0].summary

    def number(value: float | None, spread: float | None, digits: int) -> str:
        if value is None:
            return ""
        return f"{value:.{digits}f}" + ("" if spread is None else f" ± {spread:.{digits}f}")

    faces = [
        [
            row["name"],
            row["termination"] + star(row) + " (polar)" * bool(row["is_polar"]),
            number(row["binding_energy_eV"], row["spread_eV"], 2),
            f"{row['paper'].get('binding_energy_eV', row['paper'].get('binding_energy', ''))}",
            number(row["barrier_eV"], row["barrier_spread_eV"], 3),
            number(row["barrier_2d_eV"], row["barrier_2d_spread_eV"], 3),
            f"{row['paper'].get('barrier_eV', row['paper'].get('barrier', ''))}",
            "; ".join(text for text in (row["not_ranked"], *row["warnings"]) if text),
        ]
        for row in said["surfaces"]
    ]
    models = [
        [
            marked(row),
            one["model"],
            number(one["binding_energy_eV"], None, 2),
            one["best_site"] or "",
            *(number(one[key], None, 3) for key in ("barrier_low_eV", "barrier_high_eV")),
            *(number(way["high_eV"], None, 3) for way in one["barrier_along"]),
            str(one["n_atoms"]),
        ]
        for row in said["surfaces"]
        for one in row["models"]
    ]
    orders = [
        [
            ", ".join(f"{name} {what}" for name, what in one["terminations"].items() if _has_choice(said, name)),
            " < ".join(one["by_binding"]),
            " < ".join(one["by_barrier"]),
            " < ".join(one["by_barrier_2d"]),
            {True: "yes", False: "no", None: ""}[one["is_published_order"]]
            + (f", without {', '.join(one['without'])}" if one["without"] else ""),
        ]
        for one in said["orders"]
    ]
    head = ["surface", "termination", "binding, eV", "published", "barrier, eV", "in 2D, eV", "published", ""]
    along = ["along first vector", "along second", "everywhere"]
    of_model = ["face", "model", "binding, eV", "best site", "barrier from", "to", *along, "atoms"]
    order = ["terminations", "by binding energy", "by barrier", "by barrier in 2D", "published order of binding"]
    parts = [
        f"# The reference surfaces\n\n{MADE}\n",
        f"{findings.warning}. `interlith screen reference-surfaces --cached` shows the same with maps and structures; "
        "[what it means](../understand/surfaces.md).\n",
        f"{table(head, faces)}\n",
        f"## Each model\n\n{table(of_model, models)}\n",
        f"## Rankings, for every choice of terminations\n\n{table(order, orders)}\n",
        coverages(),
        single_points(),
    ]
    return "\n".join(parts)


def coverages() -> str:
    """One face at three coverages: the shipped ones, and the reference."""
    shown = [
        *(row for row in screened("coverage-zno").items[0].summary["surfaces"]),
        *(row for row in screened("reference-surfaces").items[0].summary["surfaces"] if row["name"] == "ZnO(002)"),
    ]
    rows = [
        [
            row["name"],
            row["termination"] + star(row),
            *(f"{one['binding_energy_eV']:.2f}" for one in row["models"]),
            *(f"{one['sites'][0]['most_moved_A']:.1f}" for one in row["models"]),
        ]
        for row in sorted(shown, key=lambda row: row["termination"])
    ]
    models = [one["model"] for one in shown[0]["models"]]
    head = ["surface", "termination", *(f"{name}, eV" for name in models), *(f"{name}, moved A" for name in models)]
    words = (
        "One lithium in 1, 2 and (the reference) 4 cells of the surface. Moved: how far the atom of the slab that "
        "moves most lies from where it is without lithium. `interlith screen coverage-zno --cached` shows the rest."
    )
    return f"## ZnO(002) at three coverages\n\n{words}\n\n{table(head, rows)}\n"


def single_points() -> str:
    """DFT beside the models, of cells thin enough for it."""
    said = screened("thin-surfaces").items[0].summary
    rows = [row for row in said["surfaces"] if row["dft"]]
    check = rows[0]["dft"]
    others = [one["name"] for one in said["models"] if one["name"] != check["model"]]
    head = ["face", "PBE", "PBE-D3", check["model"], "PBE less that", *(f"{name}, own geometry" for name in others)]
    words = (
        f"{said['said'][1]} Binding energies in eV at the geometry that {check['model']} found, by GPAW "
        f"{check['versions']['gpaw']} with plane waves to {check['settings']['cutoff_eV']:g} eV and a k-point every "
        f"{check['settings']['k_spacing_per_A']:g} x 2 pi/A (the paper: 520 eV, 0.04 x 2 pi/A), against bulk Li of "
        "the same functional + 1.63 eV. D3 holds lithium in its metal about as much as on the face, and so nearly "
        "cancels. The force is the largest of bare slab and slab with lithium, and says how far PBE-D3 is from rest at "
        "that geometry. Other models stand at geometries, and sites, of their own. `interlith screen thin-surfaces "
        "--cached` shows the same; with `--check-with gpaw` instead it computes it."
    )
    found = table([*head, "largest force, eV/A", ""], [_point(row, others) for row in rows])
    return f"## Single points by DFT, in thinner cells\n\n{words}\n\n{found}\n"


def _point(row: dict, others: list[str]) -> list[str]:
    check, by = row["dft"], {one["model"]: one["binding_energy_eV"] for one in row["models"]}
    off = None if check["pbe_eV"] is None else check["pbe_eV"] - check["model_eV"]
    numbers = [check["pbe_eV"], check["pbe_d3_eV"], check["model_eV"]]
    return [
        marked(row),
        *("-" if value is None else f"{value:.2f}" for value in numbers),
        "-" if off is None else f"{off:+.2f}".replace("-", "−"),
        *("-" if by.get(name) is None else f"{by[name]:.2f}" for name in others),
        "-" if check["largest_force_eV_per_A"] is None else f"{check['largest_force_eV_per_A']:.1f}",
        "; ".join(text for text in (check["failed"], row["not_ranked"]) if text),
    ]


def _has_choice(said: dict, name: str) -> bool:
    return len({one["terminations"].get(name) for one in said["orders"]}) > 1


def _bounds(field: FieldInfo) -> str:
    """What a key may be at all, where it is bounded."""
    ends = {n: getattr(one, n) for one in field.metadata for n in ("ge", "gt", "le", "lt") if hasattr(one, n)}
    low = f"{ends['ge']:g}" if "ge" in ends else f"above {ends['gt']:g}" if "gt" in ends else ""
    high = f"{ends['le']:g}" if "le" in ends else f"below {ends['lt']:g}" if "lt" in ends and ends["lt"] < 1e9 else ""
    if low and high:
        return f"{low} to {high}"
    return f"{low} or more" if "ge" in ends else low or high


def _keys(what: str, how: str, tables: tuple, uncertain: str = UNCERTAIN) -> str:
    parts = [f"# Keys of {what} file\n\n{MADE}\n", how + uncertain]
    for title, model, what in tables:
        rows = []
        for name, field in model.model_fields.items():
            if name in ("origins", "oxide") or (name == "kind" and issubclass(model, Part)):
                continue
            span = SPANS.get(name)
            known = field.is_required() or field.default_factory is not None or field.default in (None, (), "")
            default = "" if known else str(field.default)
            allowed = _bounds(field) if span is None else f"{span.low:g} to {span.high:g}"
            assumed = getattr(model, "assumed", {}).get(name)
            default = f"{assumed[0]:g}, assumed ({assumed[1]:g} to {assumed[2]:g})" if assumed else default
            told = unit(name)
            rows.append(
                [
                    f"`{name}`",
                    "" if told == "1" else told,
                    "required" if field.is_required() and not assumed else default,
                    allowed,
                ]
            )
        text = what or (model.__doc__ or "").split("\n\n    >>>")[0]
        said = "\n".join(line.removeprefix("    ") for line in text.strip().splitlines())
        body = table(["key", "unit", "default", "plausible, or allowed"], rows)
        parts.append(f"## {title}\n\n{said}\n\n{body}\n")
    return "\n".join(parts)


PAGES = {"ledger.md": ledger, "record.md": record, "thresholds.md": thresholds, "formats.md": formats}
PAGES |= {"materials.md": materials, "cell-file.md": cell_file, "recipe-file.md": recipe_file_page}
PAGES |= {"study-file.md": study_file_page, "sweep-file.md": sweep_file_page}
PAGES |= {
    "surfaces-file.md": surfaces_file_page,
    "deposit-file.md": deposit_file_page,
    "reference-surfaces.md": reference_surfaces,
}


def reference_study(rows: list[dict]) -> str:
    """The table of the reference study, from a run of it; it takes minutes, and so is made when asked for."""
    sections: dict[str, list[list[str]]] = {}
    for row in rows:
        low, high = (number_text(row[end]) for end in ("low", "high"))
        span = "" if row["low"] is None else f"{low} to {high}"
        met = {True: "yes", False: "**miss**", None: ""}[row["within"]]
        unit_of = "" if row["unit"] == "1" else row["unit"]
        cells = [
            row["quantity"],
            unit_of,
            paper_text(row),
            number_text(row["ours"]),
            span,
            row["kind"],
            met,
            row["reason"],
        ]
        sections.setdefault(row["section"], []).append(cells)
    head = ["quantity", "unit", "paper", "ours", "span", "kind", "met", "what it rests on, or lacks"]
    parts = [f"## {title}\n\n{table(head, found)}\n" for title, found in sections.items()]
    words = (
        "What `interlith run reference` finds beside Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4, "
        "with 8 draws of what is assumed (the span). A number with a span is met when the paper's lies in it, one "
        "without when it is within 5 %, or as the study says. An audit that is missed is a published figure that does "
        "not close. Audits are numbered as the facts of the paper are."
    )
    told = [
        f"{kind}: {sum(row['within'] for row in known)} of {len(known)} {'close' if kind == 'audit' else 'are met'}"
        for kind in ("computed", "predicted", "calibrated", "audit")
        if (known := [row for row in rows if row["kind"] == kind and row["within"] is not None])
    ]
    made = "_This page is written by `python docs/make.py reference` from a run._"
    return "\n".join(["# The reference study\n", f"{made}\n", f"{words}\n", f"{'; '.join(told)}.\n", *parts])


def make_reference_study() -> None:
    with TemporaryDirectory() as folder:
        rows = run(read_study("reference"), Path(folder)).items[0].summary["rows"]
    (HERE / "reference-study.md").write_text(reference_study(rows), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["reference"]:
        make_reference_study()
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
