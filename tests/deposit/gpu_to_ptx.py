"""Every kernel of the GPU as PTX, the language of its driver, for three generations, as one JSON object on stdout."""

import json
import re
from types import SimpleNamespace

from numba import boolean, cuda, float32, float64, int32, int64, types, uint8
from numba.cuda import dispatcher

from interlith.deposit.solver import gpu, gpu_kernels, gpu_labels

BOX, VECTOR, SUMS, SQUARE, STEPS = (
    float32[:, :, ::1],
    float64[:, :, ::1],
    float64[::1],
    float64[:, ::1],
    int32[:, ::1],
)
LABELS, BITS, HELD, SHAPE = int32[::1], uint8[::1], boolean[::1], types.UniTuple(int64, 3)
LEVELS = types.UniTuple(types.UniTuple(BOX, 6), gpu.MOST_IN_TAIL)
GIVEN = {  # kernel -> kinds of what it is given
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
    "begin": [(HELD, LABELS)],
    "join": [(LABELS, BITS, boolean, SHAPE, boolean)],
    "flatten": [(LABELS,)],
}
ATOMIC_SUM = re.compile(r"^\s*(@\S+\s+)?(atom|red)\.\S*(add|\.f(16|32|64))", re.MULTILINE)
ALL = {**vars(gpu_labels), **vars(gpu_kernels)}
CAPABILITIES = ((7, 0), (8, 0), (9, 0))


def main() -> None:
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=CAPABILITIES[0])  # there need be none
    texts = {f"{name} {kinds}": ptx(name, kinds) for name, each in GIVEN.items() for kinds in each}
    launched = {name for name, held in ALL.items() if hasattr(held, "py_func") and name[0] != "_"}
    told = {
        "compiled": sorted(GIVEN),
        "launched": sorted(launched - {"inflow", "outflow", "relaxed", "residual"}),
        "targets": sorted({word for held in texts.values() for text in held for word in targets(text)}),
        "with_atomic_sums": [name for name, held in texts.items() if any(ATOMIC_SUM.search(text) for text in held)],
    }
    print(json.dumps(told))


def ptx(name: str, kinds: tuple[types.Type, ...]) -> list[str]:
    function = ALL[name].py_func
    return [cuda.compile_ptx(function, kinds, cc=capability)[0] for capability in CAPABILITIES]


def targets(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines() if line.startswith(".target")]


if __name__ == "__main__":
    main()
