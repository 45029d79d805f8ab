"""Machine vectors inside numba.

numba compiles a loop over eight points into eight scalars more often than into one vector instruction. `Vector` is
LLVM's `<n x double>` as a numba type, so that `a + b * c` over all quadrature points is one instruction where the
machine has it, and the same bits on every path through the program: no fast-math, one fixed order of operations.

    ones(8)                    eight lanes of 1.0; the number must stand in the source as a literal
    spread(x, like)            x in every lane, as many lanes as `like`
    load(array, start, like)   array[start : start + lanes] of a contiguous 1-d float64 array, unchecked
    store(array, start, a)     the inverse
    a + b, a - b, a * b        lane by lane
    fused(a, b, c)             a * b + c, rounded once where the machine has such an instruction
    total(a)                   the sum over the lanes, from the first to the last

All of them work only inside functions compiled by numba.
"""
# ruff: noqa: ARG001, ARG002, PLR0917 - numba prescribes the parameters of everything that generates code

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import intrinsic, lower_builtin, models, register_model


class Vector(types.Type):
    """The numba type of `lanes` doubles in one register, or in several side by side."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(f"Vector({lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Vector) -> None:
        initialise: Any = super().__init__
        initialise(dmm, fe_type, ir.VectorType(ir.DoubleType(), fe_type.lanes))


def _broadcast(builder: Any, value: Any, lanes: int) -> Any:
    kind = ir.VectorType(ir.DoubleType(), lanes)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.IntType(32)(0))
    return builder.shuffle_vector(
        first, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    )


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, start: Any, lanes: int) -> Any:
    proxy: Any = cgutils.create_struct_proxy  # numba says that it is typed, and this part is not
    data = proxy(array_type)(context, builder, value=array).data
    return builder.bitcast(builder.gep(data, [start]), ir.VectorType(ir.DoubleType(), lanes).as_pointer())


def _ones(typingctx: Any, lanes: Any) -> Any:
    """Lanes of 1.0; `lanes` is a literal."""
    if not isinstance(lanes, types.IntegerLiteral):
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _broadcast(builder, ir.DoubleType()(1.0), signature.return_type.lanes)

    return Vector(lanes.literal_value)(lanes), generate


def _spread(typingctx: Any, value: Any, like: Any) -> Any:
    """`value` in every lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _broadcast(builder, args[0], signature.return_type.lanes)

    return like(types.float64, like), generate


def _load(typingctx: Any, array: Any, start: Any, like: Any) -> Any:
    """`array[start : start + lanes]`, unchecked."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], args[0], args[1], signature.return_type.lanes)
        return builder.load(pointer, align=8)

    return like(array, types.intp, like), generate


def _store(typingctx: Any, array: Any, start: Any, value: Any) -> Any:
    """Writes `value` to `array[start : start + lanes]`, unchecked."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], args[0], args[1], signature.args[2].lanes)
        builder.store(args[2], pointer, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


def _fused(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """`a * b + c`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = args[0].type
        name = f"llvm.fmuladd.v{kind.count}f64"
        declared: Any = cgutils.get_or_insert_function
        multiply_add = declared(builder.module, ir.FunctionType(kind, [kind] * 3), name)
        return builder.call(multiply_add, args)

    return a(a, b, c), generate


def _total(typingctx: Any, a: Any) -> Any:
    """The sum over the lanes, from the first to the last."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts = [builder.extract_element(args[0], ir.IntType(32)(k)) for k in range(signature.args[0].lanes)]
        result = parts[0]
        for part in parts[1:]:
            result = builder.fadd(result, part)
        return result

    return types.float64(a), generate


# Any: to the type checker these are functions of numba's types, to their callers of numbers and vectors.
ones: Any = intrinsic(prefer_literal=True)(_ones)
spread: Any = intrinsic(_spread)
load: Any = intrinsic(_load)
store: Any = intrinsic(_store)
fused: Any = intrinsic(_fused)
total: Any = intrinsic(_total)


class _Lanewise(AbstractTemplate):
    """Types `a + b`, `a - b` and `a * b` of two vectors with as many lanes."""

    def generic(self, args: Any, kws: Any) -> Any:
        a, b = args
        return a(a, a) if isinstance(a, Vector) and a == b else None


def _register(operation: Callable[[Any, Any], Any], instruction: str) -> None:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)

    typed: Any = infer_global
    typed(operation)(type(f"_{instruction}", (_Lanewise,), {}))
    lowered: Any = lower_builtin
    lowered(operation, Vector, Vector)(generate)


for _operation, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _register(_operation, _instruction)
