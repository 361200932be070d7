"""TOML files that a person wrote: read one, or a shipped one, and say at which line it is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from interlith.errors import InputError, did_you_mean

Place = tuple[str | int, ...]
CONTRADICTION = "contradiction"  # type of an error of pydantic that says at which value: ctx["place"]
MOST_SHOWN, MOST_BYTES, MOST_PARTS = 60, 5_000_000, 64
MOST_WHOLE = 2**63
_TEXT_OF_LINES = re.compile(r'''"""[^\\]*?"""|\'\'\'.*?\'\'\'''', re.DOTALL)


class Written(BaseModel):
    """A table that a person wrote: frozen, no unknown keys, and neither true or false nor text for a number.

    >>> class Box(Written):
    ...     width_um: float
    >>> Box(width_um=True)
    Traceback (most recent call last):
        ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for Box
      width_um = true: must be a number [type=contradiction, input_value={'width_um': True}, input_type=dict]
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _of_their_kind(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            takes = _takes(cls)
            for name, value in given.items():
                field = takes.get(name)
                if field is None or (field.numbers and value.__class__ is float):  # nearly all
                    continue
                said = kind_missed(name, value, field)
                if said is not None:
                    raise PydanticCustomError(CONTRADICTION, "{message}", {"message": said, "place": name})
        return given


@dataclass(frozen=True)
class Takes:
    """What a field takes that has to do with numbers: these; true and false; texts; tables with keys of any name, or
    that look at their keys themselves.
    """

    numbers: bool
    truth: bool
    text: bool
    tables: bool
    models: bool

    @classmethod
    def of(cls, annotation: Any) -> Takes:
        """Of a field of this annotation."""
        kinds = _arguments(annotation)
        return cls(
            numbers=int in kinds or float in kinds,
            truth=bool in kinds,
            text=any(kind is str or isinstance(kind, str) for kind in kinds),
            tables=any(getattr(kind, "__origin__", kind) in (Mapping, dict) for kind in kinds),
            models=any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds),
        )


@cache
def _takes(model: type[BaseModel]) -> dict[str, Takes]:
    """Of the fields of a model that take numbers, or true and false."""
    found = {name: Takes.of(field.annotation) for name, field in model.model_fields.items()}
    return {name: takes for name, takes in found.items() if takes.numbers or takes.truth}


def kind_missed(name: str, value: Any, takes: Takes) -> str | None:
    """What is wrong with a value that pydantic would turn into a number, or into true or false, by itself.

    None where the value is of a kind that its field takes.

    >>> kind_missed("width_um", "2", Takes.of(float | None))
    'width_um = "2": must be a number'
    """
    if takes.truth:
        is_other = isinstance(value, (int, float, str)) and not isinstance(value, bool)
        return f"{name} = {shown(value)}: must be true or false" if is_other and not takes.numbers else None
    is_many = isinstance(value, (list, tuple, Mapping))
    if is_many and takes.models:
        return None
    odd: Any = (bool, np.bool_) if takes.text and not is_many else (bool, np.bool_, str)
    wrong = [one for one in _each(value) if isinstance(one, odd)]
    if not wrong:
        return None
    if isinstance(value, Mapping) and not takes.tables:
        return f"{name}: must be a number, no table"
    return f"{name} = {shown(wrong[0])}: must be {'numbers' if is_many else 'a number'}"


def _each(value: Any) -> Iterator[Any]:
    """A value, or each of those in lists and tables, however deep."""
    if isinstance(value, (list, tuple, Mapping)):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _each(one)
    else:
        yield value


def shown(value: Any) -> str:
    """A value as it is written in a file.

    >>> shown("2"), shown(2), shown(True)
    ('"2"', '2', 'true')
    """
    return f'"{value[:MOST_SHOWN]}"' if isinstance(value, str) else str(value).lower()[:MOST_SHOWN]


Kind = TypeVar("Kind", bound=Written)


class File:
    """A file's text, and its name in messages."""

    def __init__(self, name: str, text: str, folder: Path) -> None:
        self.name, self.text, self.folder = name, text, folder

    def at(self, place: Place, message: str) -> InputError:
        """An error at a key: ("datum", 1, "sigma") is the sigma of the second [[datum]]."""
        line = line_of(self.text, place)
        where = f"{self.name}:{line}" if line else self.name
        return InputError(f"{where}: {message}")


def shipped(package: str, prefix: str = "") -> list[str]:
    """Names of the files that a package ships in its folder `shipped`, those whose name begins with a prefix.

    >>> "reference" in shipped("interlith.cell.inference", "fit-")
    True
    """
    found = (item.name for item in resources.files(package).joinpath("shipped").iterdir())
    return sorted(name.removeprefix(prefix).removesuffix(".toml") for name in found if name.startswith(prefix))


def opened(given: str, package: str, prefix: str = "") -> File:
    """A file by its path, or one that a package ships by its name. Raises InputError for what cannot be read."""
    path = Path(given)
    if path.suffix or is_file(path) or (len(path.parts) > 1 and is_there(path)):
        return read_file(path)
    if given not in (known := shipped(package, prefix)):
        hint = did_you_mean(given, known)
        raise InputError(f"{given[:MOST_SHOWN]}: neither a file nor a shipped one ({', '.join(known)}).{hint}")
    return shipped_file(given, package, prefix)


def is_file(path: Path) -> bool:
    """Whether a file lies there; not where its name is one that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_there(path: Path) -> bool:
    """Whether anything lies there; not where its name is one that nothing can have."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def shipped_file(name: str, package: str, prefix: str = "") -> File:
    """A file that a package ships, whatever lies in the folder at hand."""
    inside = resources.files(package).joinpath("shipped", f"{prefix}{name}.toml")
    return File(inside.name, inside.read_text(encoding="utf-8"), Path())


def read_file(path: Path) -> File:
    """A file by its path. Raises InputError for what cannot be read, is no file, or is larger than a person writes."""
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: not a file")
        if path.exists() and path.stat().st_size > MOST_BYTES:
            raise InputError(
                f"{path}: {path.stat().st_size} bytes; a file that a person wrote has fewer than {MOST_BYTES}"
            )
        return File(path.name, path.read_text(encoding="utf-8-sig"), path.parent)
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"{path}: cannot be read ({getattr(problem, 'strerror', None) or problem})") from problem


def table_of(file: File) -> dict[str, Any]:
    """The file as a table. Raises InputError for what is not TOML."""
    _check_keys(file)
    try:
        table = tomllib.loads(file.text)
        for place, why in _odd_values(table, ()):
            raise file.at(place, f"{dotted(place)}: {why}")
    except (ValueError, RecursionError) as problem:
        raise InputError(f"{file.name}: not TOML that can be read: {str(problem)[:200]}") from problem
    return table


def _odd_values(held: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Values that TOML or its reader has, and no file here: whole numbers beyond 64 bits, dates."""
    if isinstance(held, (dict, list)):
        for key, value in held.items() if isinstance(held, dict) else enumerate(held):
            yield from _odd_values(value, (*place, key))
    elif isinstance(held, int) and not -MOST_WHOLE <= held < MOST_WHOLE:
        yield place, "a whole number beyond 64 bits"
    elif isinstance(held, (date, time)):
        yield place, f'a date or a time is written as text, "{held}"'


def _check_keys(file: File) -> None:
    """Refuse keys of very many parts, which take the reader of TOML minutes."""
    without_texts = _TEXT_OF_LINES.sub(lambda found: "\n" * found[0].count("\n"), file.text)
    for number, line in enumerate(without_texts.splitlines(), start=1):
        if line.count(".") > MOST_PARTS:
            for piece in re.split(r"[={},\[\]#]", line):
                bare = piece.strip()
                is_text = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "\"'" and bare[0] not in bare[1:-1]
                if bare.count(".") > MOST_PARTS and not is_text and re.fullmatch(r"[\w\-.\"' \t]+", bare):
                    raise InputError(
                        f"{file.name}:{number}: a key of {bare.count('.') + 1} parts; at most {MOST_PARTS}"
                    )


def validated(file: File, model: type[Kind]) -> Kind:
    """The file as a model. Raises InputError with file, line and key, what was got and what is allowed."""
    return validated_table(file, model, table_of(file))


def validated_table(file: File, model: type[Kind], table: dict[str, Any]) -> Kind:
    """The same for a table of the file, or a part of it."""
    try:
        return model.model_validate(table)
    except RecursionError:
        raise InputError(f"{file.name}: tables within tables too deep to be read") from None
    except ValidationError as problem:
        told = problem.errors()
        first = next((one for one in told if one["type"] == "extra_forbidden"), told[0])  # it may be the one that lacks
        place = _as_written(table, first)
        if first["type"] == CONTRADICTION:
            keys = first["ctx"]["place"].split(".")
            place = (*place, *(int(key) if key.isdigit() else key for key in keys))
            raise file.at(place, contradiction(place, first["msg"])) from problem
        raise file.at(place, message(place, first, keys_beside(model, place))) from problem


def _as_written(table: Any, error: Any) -> Place:
    """The place of an error of pydantic without the steps that are its own: names of shapes that a value could have."""
    found: Place = ()
    for part in error["loc"]:
        is_there = part in table if isinstance(table, Mapping) else isinstance(table, list) and isinstance(part, int)
        if is_there:
            table = table[part]
        if is_there or (error["type"] == "missing" and part == error["loc"][-1]):
            found = (*found, part)
    return found


def dotted(place: Place) -> str:
    """A place as a person counts: layers.1 is the first.

    >>> dotted(("positive", "layers", 0, "porosity"))
    'positive.layers.1.porosity'
    """
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in place)


def words_of(error: Any) -> str:
    """What an error of pydantic says, as the end of a sentence; a person writes lists, and no tuples."""
    if error["type"] in ("tuple_type", "list_type"):
        return "a list in brackets is needed"
    if error["type"] == "too_short":
        return f"at least {error['ctx']['min_length']} needed, {error['ctx']['actual_length']} given"
    said: str = error["msg"].removeprefix("Value error, ")
    return f"{said[:1].lower()}{said[1:]}"


def contradiction(place: Place, said: str) -> str:
    """What is wrong between values, told at one of them: said as it is where it names that already."""
    key, last = dotted(place), str(place[-1])
    if said.startswith(key):
        return said
    return f"{key}{said.removeprefix(last)}" if said.startswith(last) else f"{key}: {said}"


def message(place: Place, error: Any, known: Sequence[str]) -> str:
    """What is wrong at a place, of an error of pydantic: what was got, what is allowed, the keys known beside it."""
    key = dotted(place)
    if not key:  # between the keys of the file
        return words_of(error)
    if error["type"] == "missing":
        return f"{key}: must be given"
    if error["type"].startswith("union_tag"):
        return f"{key}.kind: must be given, one of {error['ctx'].get('expected_tags', 'the kinds that are known')}"
    known = [name for name in known if name != "origins"]
    got = error["input"]
    if error["type"] == "extra_forbidden":
        return f"{key}: not a key that is known here.{did_you_mean(str(place[-1]), known)} (known: {', '.join(known)})"
    if isinstance(got, (Mapping, list, tuple)):  # what is wrong is within it, or between its values
        return contradiction(place, words_of(error))
    return f"{key} = {str(got)[:MOST_SHOWN]}: {words_of(error)}"


def keys_beside(model: type[BaseModel], place: Place) -> list[str]:
    """The keys known in the table in which a place lies."""
    here: Any = model
    for part in place[:-1]:
        if isinstance(part, str) and part in here.model_fields:
            inner = _arguments(here.model_fields[part].annotation)
            here = next((a for a in inner if isinstance(a, type) and issubclass(a, BaseModel)), here)
    return list(here.model_fields)


def _arguments(annotation: Any) -> list[Any]:
    inner = getattr(annotation, "__args__", ())
    return [annotation, *(found for part in inner for found in _arguments(part))]


def line_of(text: str, place: Place) -> int | None:
    """The line of a key, or of the table nearest above it.

    >>> line_of("[[a]]\\nx = 1\\n[[a]]\\nx = 2", ("a", 1, "x"))
    4
    """
    counts: dict[Place, int] = {}
    header: Place = ()
    here: Place
    best, depth = None, 0
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.split("#")[0].strip()
        if found := re.match(r"(\[+)([^\]]+)\]+", bare):
            header, here = _header(found[2], found[1] == "[[", counts), ()
        elif found := re.match(r"""((?:[\w.-]|"[^"]*"|'[^']*')+)\s*=""", bare):
            here = _keys(found[1])
        else:
            continue
        full = (*header, *here)
        if len(full) > depth and full == place[: len(full)]:
            best, depth = number, len(full)
    return best


def _keys(text: str) -> tuple[str, ...]:
    return tuple(key.strip("\"'") for key in re.findall(r"""\"[^\"]*\"|'[^']*'|[^.\s]+""", text))


def _header(text: str, is_list: bool, counts: dict[Place, int]) -> Place:
    """The place of a header, the tables of lists counted."""
    full: Place = ()
    keys = _keys(text)
    for depth, key in enumerate(keys):
        full = (*full, key)
        if is_list and depth == len(keys) - 1:
            counts[full] = counts.get(full, -1) + 1
        if full in counts:
            full = (*full, counts[full])
    return full
