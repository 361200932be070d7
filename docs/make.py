"""Write the look-up pages that are lists: ledger, record, thresholds, formats. `python docs/make.py`"""

from pathlib import Path

from interlith.cycling.formats import FORMATS
from interlith.cycling.formats.refused import BY_SUFFIX
from interlith.cycling.thresholds import Thresholds
from interlith.ledger import ENTRIES
from interlith.record import COLUMNS

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


PAGES = {"ledger.md": ledger, "record.md": record, "thresholds.md": thresholds, "formats.md": formats}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
