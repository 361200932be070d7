"""Many structures in one call of a model, for a GPU, which takes hardly longer over many than over one.

Pieces of work run in threads. Whoever needs forces hands in a structure and waits; when all that are at work wait, one
call answers them all. Last digits depend on what is computed together, as they do on the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import TYPE_CHECKING, Any

from interlith.surface.calculators import Many, model_of
from interlith.surface.work import Work, do

if TYPE_CHECKING:
    from ase import Atoms


@dataclass
class _Asked:
    """A structure that waits for its energy, and what came of it."""

    atoms: Atoms
    found: Mapping[str, Any] | None = None
    problem: Exception | None = None


class Together:
    """Answers all that wait at once: energy (eV), forces (eV/A), stress (eV/A3, Voigt) of each structure.

    many: computes a list of structures in one call. A structure that cannot be computed fails alone.

    >>> from ase import Atoms
    >>> hub = Together(lambda structures: [{"energy": float(len(atoms))} for atoms in structures])
    >>> with hub.at_work():
    ...     hub(Atoms("Li2"))
    {'energy': 2.0}
    """

    def __init__(self, many: Many) -> None:
        self._many = many
        self._changed = Condition()
        self._waiting: list[_Asked] = []
        self._n_at_work = 0
        self._is_stopped = False

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While a thread computes a piece: the others wait for what it hands in next."""
        with self._changed:
            self._n_at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._n_at_work -= 1
                self._answer()

    def __call__(self, atoms: Atoms) -> Mapping[str, Any]:
        """Energy, forces and stress of a structure, once all others wait too. Raises what the model raises on it."""
        asked = _Asked(atoms)
        with self._changed:
            self._waiting.append(asked)
            self._answer()
            self._changed.wait_for(lambda: self._is_stopped or asked.found is not None or asked.problem is not None)
        if asked.problem is not None:
            raise asked.problem
        if asked.found is None:
            raise InterruptedError("stopped")
        return asked.found

    def stop(self) -> None:
        """Whoever waits is sent away: a search was given up."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def _answer(self) -> None:
        """Compute all that wait, if nobody is left who may hand in more; holds the lock."""
        if self._is_stopped or not self._waiting or len(self._waiting) < self._n_at_work:
            return
        now, self._waiting = self._waiting, []
        try:
            for asked, found in zip(now, self._many([asked.atoms for asked in now]), strict=True):
                asked.found = found
        except Exception:  # one of them, whoever's model it is: each by itself
            for asked in now:
                self._alone(asked)
        self._changed.notify_all()

    def _alone(self, asked: _Asked) -> None:
        try:
            (asked.found,) = self._many([asked.atoms])
        except Exception as problem:
            asked.problem = problem


class DoTogether:
    """`do` for threads: the pieces of a model that are at work are computed together."""

    def __init__(self, names: Sequence[str], many_of: Callable[[str], Many] | None = None) -> None:
        self._hubs = {name: Together((many_of or _many_of)(name)) for name in names}

    def __call__(self, work: Work) -> dict[str, Any]:
        """The result of a piece."""
        hub = self._hubs[work.model]
        with hub.at_work():
            return do(work, _calculator(hub))

    def stop(self) -> None:
        """Let no thread wait any longer."""
        for hub in self._hubs.values():
            hub.stop()


def _many_of(name: str) -> Many:
    make = model_of(name).make_many
    assert make is not None
    return make()


def _calculator(hub: Together) -> Any:
    """An ASE calculator that asks the hub."""
    from ase.calculators.calculator import Calculator, all_changes

    class Asking(Calculator):
        implemented_properties: list[str] = ["energy", "forces", "stress"]  # noqa: RUF012 - as ASE wants it

        def calculate(self, atoms: Any = None, properties: Any = ("energy",), changes: Any = all_changes) -> None:
            super().calculate(atoms, properties, changes)
            self.results = dict(hub(atoms.copy()))

    return Asking()
