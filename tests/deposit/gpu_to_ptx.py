"""Every kernel of the GPU as PTX, the language of its driver, for three generations, as one JSON object on stdout."""

import json
import re
from collections.abc import Iterable
from types import ModuleType, SimpleNamespace

from numba import boolean, cuda, float32, float64, int32, int64, types, uint8, uint16
from numba.cuda import dispatcher

from interlith.deposit.solver import gpu, gpu_kernels, gpu_labels, gpu_migration

BOX, VECTOR, SUMS, SQUARE, STEPS = (
    float32[:, :, ::1],
    float64[:, :, ::1],
    float64[::1],
    float64[:, ::1],
    int32[:, ::1],
)
ROW, WAYS = float32[::1], uint16[:, :, ::1]
LABELS, BITS, HELD, SHAPE = int32[::1], uint8[::1], boolean[::1], types.UniTuple(int64, 3)
LEVELS = types.UniTuple(types.UniTuple(BOX, 6), gpu.MOST_IN_TAIL)
OF_KERNELS = {  # kernel -> kinds of what it is given
    "wrap": [(BOX,), (VECTOR,)],
    "relax": [(BOX,) * 6 + (int64,)],
    "restrict": [(BOX,) * 7],
    "prolong": [(BOX, BOX)],
    "zero": [(BOX,)],
    "tail": [(LEVELS, SQUARE, STEPS, boolean)],
    "apply": [(VECTOR, BOX, BOX, BOX, BOX, VECTOR, SUMS)],
    "step": [(VECTOR, VECTOR, VECTOR, VECTOR, BOX, float64, SUMS)],
    "product": [(VECTOR, VECTOR, SUMS), (VECTOR, BOX, SUMS)],
    "direct": [(VECTOR, BOX, float64)],
}
OF_LABELS = {
    "begin": [(HELD, LABELS)],
    "join": [(LABELS, BITS, boolean, SHAPE, boolean)],
    "flatten": [(LABELS,)],
}
OF_MIGRATION = {
    "put": [(LABELS, ROW, ROW)],
    "take": [(LABELS, ROW, ROW)],
    "wrap_corners": [(BOX,)],
    "join": [(BOX, BOX, BOX, WAYS)],
    "apply": [(BOX, BOX, BOX, BOX, WAYS, BOX, SUMS)],
    "direct": [(BOX,) * 5 + (float32,)],
    "moved": [(BOX,) * 5 + (float32, SUMS)],
}
GIVEN = {
    (module, name): kinds
    for module, each in ((gpu_kernels, OF_KERNELS), (gpu_labels, OF_LABELS), (gpu_migration, OF_MIGRATION))
    for name, kinds in each.items()
}
ATOMIC_SUM = re.compile(r"^\s*(@\S+\s+)?(atom|red)\.\S*(add|\.f(16|32|64))", re.MULTILINE)
CAPABILITIES = ((7, 0), (8, 0), (9, 0))


def main() -> None:
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=CAPABILITIES[0])  # there need be none
    texts = {f"{of} {kinds}": ptx(*of, kinds) for of, each in GIVEN.items() for kinds in each}
    launched = {
        (module, name) for module, _ in GIVEN for name, held in vars(module).items() if is_launched(held, module)
    }
    told = {
        "compiled": names(GIVEN),
        "launched": names(launched),
        "targets": sorted({word for held in texts.values() for text in held for word in targets(text)}),
        "with_atomic_sums": [name for name, held in texts.items() if any(ATOMIC_SUM.search(text) for text in held)],
    }
    print(json.dumps(told))


def is_launched(held: object, module: ModuleType) -> bool:
    """Whether it is a kernel of this module that the host starts, and no function that kernels call."""
    function = getattr(held, "py_func", None)
    return function is not None and function.__module__ == module.__name__ and not held.targetoptions.get("device")


def names(kernels: Iterable[tuple[ModuleType, str]]) -> list[str]:
    return sorted(f"{module.__name__}.{name}" for module, name in kernels)


def ptx(module: ModuleType, name: str, kinds: tuple[types.Type, ...]) -> list[str]:
    function = getattr(module, name).py_func
    return [cuda.compile_ptx(function, kinds, cc=capability)[0] for capability in CAPABILITIES]


def targets(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines() if line.startswith(".target")]


if __name__ == "__main__":
    main()
