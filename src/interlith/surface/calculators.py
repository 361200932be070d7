"""Models of energy and force: those shipped by name, and those that other packages register as plug-ins.

A plug-in is a Model under the entry-point group `interlith.calculators`; interlith.testing.check_calculator checks it.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from interlith.errors import EnvironmentError_, InputError, did_you_mean, first_line
from interlith.plugins import CALCULATORS, load

DEFAULT = ("7net-0", "chgnet")
VOIGT = [0, 1, 2, 4, 5, 3]  # of the order xx yy zz xy yz zx
CPU_TORCH = "pip install torch==2.13.0; pip install 'interlith[surface]'"
OF_MPTRJ = (  # the 89 elements of the Materials Project trajectories, on which both defaults were trained
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb "
    "Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au "
    "Hg Tl Pb Bi Ac Th Pa U Np Pu"
)


Many = Callable[[Sequence[Any]], list[dict[str, Any]]]


@dataclass(frozen=True)
class Model:
    """A potential by name: `make()` gives an ASE calculator of energy (eV) and forces (eV/A).

    package: whose version goes into what is computed with it. level: what its energies stand for. elements: those it
    knows; empty: not said. make_many: makes a function that computes a list of structures in one call, energy, forces
    and stress (eV/A3, Voigt) of each, which is used on a GPU; None: one by one.
    """

    name: str
    title: str
    make: Callable[[], Any]
    package: str
    level: str
    source: str
    elements: frozenset[str] = field(default_factory=frozenset)
    make_many: Callable[[], Many] | None = None

    @property
    def identity(self) -> str:
        """Name and version: what is computed with another is computed anew.

        >>> Model("mine", "my potential", dict, "no-such-package", "none", "me").identity
        'mine (no-such-package, version not known)'
        """
        try:
            return f"{self.name} ({self.package} {version(self.package)})"
        except PackageNotFoundError:
            return f"{self.name} ({self.package}, version not known)"

    def unknown(self, elements: Iterable[str]) -> list[str]:
        """Elements that the model never saw."""
        return [element for element in elements if self.elements and element not in self.elements]


def shipped_models() -> dict[str, Model]:
    """The models that interlith knows by name.

    >>> list(shipped_models())
    ['7net-0', 'chgnet']
    """
    known = frozenset(OF_MPTRJ.split())
    models = (
        Model(
            "7net-0",
            "SevenNet-0",
            _sevennet,
            "sevenn",
            "PBE, PBE+U, no dispersion",
            "doi:10.1021/acs.jctc.4c00190",
            known,
            _sevennet_many,
        ),
        Model(
            "chgnet",
            "CHGNet 0.3.0",
            _chgnet,
            "chgnet",
            "PBE, PBE+U with corrections of the Materials Project, no dispersion",
            "doi:10.1038/s42256-023-00716-3",
            known,
            _chgnet_many,
        ),
    )
    return {model.name: model for model in models}


def models() -> dict[str, Model]:
    """All models by name, plug-ins after the shipped ones."""
    added = {model.name: model for model in load(CALCULATORS) if isinstance(model, Model)}
    return {**added, **shipped_models()}


def model_of(name: str) -> Model:
    """A model by its name. Raises InputError for one that is not known."""
    known = models()
    if name not in known:
        raise InputError(f"{name}: not a model ({', '.join(known)}).{did_you_mean(name.lower(), known)}")
    return known[name]


@cache
def calculator(name: str) -> Any:
    """The calculator of a model, made once in a process, on one thread. Raises EnvironmentError_ where it cannot be."""
    return ready(model_of(name))


def ready(model: Model) -> Any:
    """The calculator of a model. Raises EnvironmentError_ for one that is not installed, or has no weights."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            return model.make()
    except ImportError as problem:
        how = CPU_TORCH if model.name in shipped_models() else f"{model.package} says what it needs"
        said = f"{model.name}: {problem.name or problem} is not installed; {how}"
        raise EnvironmentError_(said) from problem
    except Exception as problem:  # no weights, or of another version: each package has errors of its own
        said = f"{model.name}: cannot be loaded, are its weights there? ({first_line(problem)})"
        raise EnvironmentError_(said) from problem


def device() -> str:
    """What a piece is computed on, as far as torch is there to say: for the log, since last digits depend on it.

    >>> device() == "cpu" or "torch" in device()
    True
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return "cpu"
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return f"{name}, torch {torch.__version__}"


def _sevennet() -> Any:
    _one_thread()
    from sevenn.calculator import SevenNetCalculator

    return SevenNetCalculator("7net-0", device=_device())


def _chgnet() -> Any:
    _one_thread()
    from chgnet.model.dynamics import CHGNetCalculator

    return CHGNetCalculator(use_device=_device())


def _sevennet_many() -> Many:
    """Many structures by SevenNet: their graphs as one."""
    import sevenn._keys as key
    from sevenn.atom_graph_data import AtomGraphData
    from sevenn.train.dataload import unlabeled_atoms_to_graph
    from torch_geometric.data import Batch

    single = _sevennet()
    single.model.set_is_batch_data(True)

    def many(structures: Sequence[Any]) -> list[dict[str, Any]]:
        held = [unlabeled_atoms_to_graph(atoms, single.cutoff, with_shift=False) for atoms in structures]
        graphs = Batch.from_data_list([AtomGraphData.from_numpy_dict(one) for one in held])
        output = single.model(graphs.to(single.device))
        energies, forces, stresses = (
            output[name].detach().cpu().numpy() for name in (key.PRED_TOTAL_ENERGY, key.PRED_FORCE, key.PRED_STRESS)
        )
        ends = np.cumsum([len(atoms) for atoms in structures])
        return [
            {"energy": float(energies[i]), "forces": forces[end - len(atoms) : end], "stress": -stresses[i][VOIGT]}
            for i, (atoms, end) in enumerate(zip(structures, ends, strict=True))
        ]

    return many


def _chgnet_many() -> Many:
    """Many structures by CHGNet, which takes lists."""
    from pymatgen.io.ase import AseAtomsAdaptor

    single = _chgnet()

    def many(structures: Sequence[Any]) -> list[dict[str, Any]]:
        graphs = [single.model.graph_converter(AseAtomsAdaptor.get_structure(atoms)) for atoms in structures]
        found = single.model.predict_graph(graphs, task="efs", batch_size=len(graphs))
        return [
            {
                "energy": float(one["e"]) * (len(atoms) if single.model.is_intensive else 1),
                "forces": one["f"],
                "stress": (one["s"] * single.stress_weight).ravel()[[0, 4, 8, 5, 2, 1]],
            }
            for atoms, one in zip(structures, found, strict=True)
        ]

    return many


def takes_many(names: Iterable[str]) -> bool:
    """Whether there is a GPU, and all these models compute many structures in one call."""
    return all(model_of(name).make_many for name in names) and _device() == "cuda"


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
