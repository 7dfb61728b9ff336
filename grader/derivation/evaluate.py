"""Evaluates trees on an instance: numbers for every symbol; derivatives by dual numbers.

An expression is evaluated for all values of its indices at once. The tangent of a value has one more axis for
each axis of the symbol by which is differentiated (`∂0`, `∂1`, ...).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from grader.derivation import tensor as t
from grader.derivation.dual import (
    SMOOTH,
    Dual,
    along,
    as_row,
    by_itself,
    chain,
    diagonal_sum,
    power,
    product,
    reciprocal,
    spread_diagonal,
    total,
)
from grader.derivation.masks import mask_of
from grader.derivation.scope import Definition, Instance, Scope
from grader.derivation.tensor import Tensor
from grader.derivation.tree import (
    Add,
    Cases,
    DerivationError,
    Derivative,
    Differential,
    Entry,
    Entrywise,
    Function,
    Indicator,
    Inner,
    Node,
    Norm,
    Number,
    Ones,
    Otherwise,
    Pairing,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Transpose,
    Unknown,
    children,
    is_number,
    own_indices,
    walk,
)
from grader.derivation.work import ENTRIES, OPERATION, Work

MAX_NODES = 4000


class Evaluator:
    """Evaluates trees on one instance; what a symbol is is computed once."""

    def __init__(
        self, scope: Scope, instance: Instance, symmetric: bool = False, work: Work | None = None
    ) -> None:
        self._work = work or Work()
        self._scope = scope
        self.instance = instance
        self._symmetric = symmetric
        self._default = next(iter(instance.sizes.values()))
        self._tables: dict[tuple[str, str | None], Dual] = {}
        self._busy: set[tuple[str, str | None]] = set()
        self._nodes = 0

    def value(self, node: Node, sizes: Mapping[str, int]) -> Tensor:
        """Return the value of a tree for all values of its free indices; `sizes` are theirs."""
        self._nodes = 0
        with np.errstate(all="ignore"):
            try:
                return self._dual(node, None, dict(sizes))[0]
            except (np.linalg.LinAlgError, OverflowError, MemoryError) as error:
                raise DerivationError(f"the expression cannot be evaluated: {error}", node.place) from None

    def index_size(self, index: str, *nodes: Node) -> int | None:
        """Return over how many values an index runs, by the symbols that it stands at; None if at none."""
        for node in nodes:
            self._work.spend(1)
            if isinstance(node, Symbol) and index in node.indices:
                table = self._table(node.name, None)[0]
                at = node.indices.index(index)
                if at < t.width(table):
                    return int(table.data.shape[at])
            elif isinstance(node, Sum) and index in node.indices:
                continue
            else:
                size = self.index_size(index, *children(node))
                if size is not None:
                    return size
        return None

    def sizes(self, indices: frozenset[str], *nodes: Node) -> dict[str, int]:
        """Return over how many values each of some free indices runs."""
        with np.errstate(all="ignore"):
            return {index: self.index_size(index, *nodes) or self._default for index in sorted(indices)}

    def table(self, name: str) -> Tensor:
        """Return a symbol for all values of its indices."""
        with np.errstate(all="ignore"):
            return self._table(name, None)[0]

    def mask(self, condition: Node, sizes: Mapping[str, int]) -> Tensor:
        """Return one where a condition holds, zero elsewhere."""
        named = {f"#{name}": size for name, size in self.instance.sizes.items()}
        return mask_of(condition, {**named, **sizes}, self._default)

    def _table(self, name: str, by: str | None) -> Dual:
        """Return a symbol for all values of all its axes, named #0, #1, ..., and its tangent."""
        key = (name, by)
        if key in self._tables:
            return self._tables[key]
        if key in self._busy:
            raise DerivationError(f"{name} is defined by itself")
        self._busy.add(key)
        try:
            found: Dual
            if name == by:
                value = self._table(name, None)[0]
                found = value, by_itself(value, self._symmetric)
            else:
                found = self._defined(name, by)
        finally:
            self._busy.discard(key)
        self._tables[key] = found
        return found

    def _defined(self, name: str, by: str | None) -> Dual:
        if name in self.instance.arrays:
            data = self.instance.arrays[name]
            return t.tensor(data, [f"#{k}" for k in range(data.ndim)]), None
        if name not in self._scope.definitions:
            if name in self.instance.sizes:
                return t.number(self.instance.sizes[name]), None
            raise DerivationError(f"{name.lstrip(chr(92))} is not defined")
        definition = self._scope.towards(name, by)
        if by is not None and not self._scope.reaches(definition.body, by, frozenset({name})):
            return self._table(name, None)[0], None
        sizes = {i: self.index_size(i, definition.body) or self._default for i in definition.indices}
        value, tangent = self._dual(definition.body, by, sizes)
        return self._as_table(value, definition, sizes), (
            None if tangent is None else self._as_table(tangent, definition, sizes)
        )

    def _as_table(self, value: Tensor, definition: Definition, sizes: Mapping[str, int]) -> Tensor:
        """Return a value with an axis for each index of its definition, then one for each without a name."""
        for index in definition.indices:
            if index not in value.axes:
                value = t.entrywise(value, t.tensor(np.ones(sizes[index]), [index]))
        names = {index: f"#{k}" for k, index in enumerate(definition.indices)}
        value = t.renamed(value, dict(names))
        value = t.with_names(value, [f"#{len(names) + k}" for k in range(value.rank)])
        return t.ordered(value, sorted(value.axes))  # "#0", "#1", ... before "∂0", ...

    def _dual(self, node: Node, by: str | None, sizes: dict[str, int]) -> Dual:
        """Return the value of a tree and its tangent, None if it does not depend on `by`."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise DerivationError("the expression is too long to be evaluated", node.place)
        value, tangent = self._evaluated(node, by, sizes)
        entries = value.data.size + (0 if tangent is None else 4 * tangent.data.size)
        self._work.spend(OPERATION + entries // ENTRIES)
        return value, tangent

    def _evaluated(self, node: Node, by: str | None, sizes: dict[str, int]) -> Dual:  # noqa: PLR0911 -- one a kind of node
        match node:
            case Number(value=constant):
                return t.number(constant), None
            case Unknown():
                return t.number(0.0), None
            case Ones():
                return t.tensor(np.ones(self._default), rank=1), None
            case Symbol(name=name, indices=indices):
                value, tangent = self._table(name, by)
                rank = t.width(value)
                if len(indices) > rank:
                    word = "index" if len(indices) == 1 else "indices"
                    raise DerivationError(
                        f"{name.lstrip(chr(92))} has {rank} indices, not {len(indices)} {word}", node.place
                    )
                select = {f"#{k}": index for k, index in enumerate(indices)}
                rest = [f"#{k}" for k in range(len(indices), rank)]
                if len(rest) > 2:
                    raise DerivationError(f"{name} lacks an index", node.place)
                return tuple(
                    part and t.unnamed(t.renamed(part, dict(select)), rest) for part in (value, tangent)
                )  # type: ignore[return-value]
            case Add(terms=terms):
                # Zero may stand for the zero of any array.
                kept = [each for each in terms if not is_number(each, 0.0)] or list(terms[:1])
                duals = [self._dual(each, by, sizes) for each in kept]
                value, tangent = duals[0]
                for term, change in duals[1:]:
                    value, tangent = t.add(value, term), total(tangent, change)
                return value, tangent
            case Product(factors=factors):
                left = self._dual(factors[0], by, sizes)
                for factor in factors[1:]:
                    left = product(left, self._dual(factor, by, sizes), t.multiply)
                return left
            case Inner(left=one, right=other):
                left, right = self._dual(one, by, sizes), self._dual(other, by, sizes)
                if left[0].rank == right[0].rank == 1 and not right[0].row:
                    left = tuple(part and as_row(part) for part in left)  # type: ignore[assignment]
                return product(left, right, t.multiply)
            case Pairing(left=one, right=other):
                left, right = self._dual(one, by, sizes), self._dual(other, by, sizes)
                if left[0].rank != right[0].rank:
                    raise DerivationError(
                        f"the inner product of {t.named(left[0])} and {t.named(right[0])}", node.place
                    )
                left = product(left, right, t.entrywise)
                return tuple(part and t.contracted(part) for part in left)  # type: ignore[return-value]
            case Entrywise(left=one, right=other):
                return product(self._dual(one, by, sizes), self._dual(other, by, sizes), t.entrywise)
            case Quotient(numerator=above, denominator=below):
                under = self._dual(below, by, sizes)
                if under[0].rank:
                    raise DerivationError(f"{t.named(under[0])} stands below a line", below.place)
                return product(self._dual(above, by, sizes), reciprocal(under), t.multiply)
            case Power(base=base, exponent=exponent):
                return power(self._dual(base, by, sizes), self._dual(exponent, by, sizes), node.place)
            case Norm(body=body):
                value, change = self._dual(body, by, sizes)
                if not value.rank:
                    return chain(value, change, np.abs, np.sign)
                squared = t.contracted(t.entrywise(value, value))
                root, slope = t.apply(squared, *SMOOTH["sqrt"])
                if change is None:
                    return root, None
                return root, t.entrywise(t.contracted(t.entrywise(value, change)), t.scaled(slope, 2.0))
            case Function():
                return self._function(node, by, sizes)
            case Transpose(body=body):
                return tuple(part and t.transposed(part) for part in self._dual(body, by, sizes))  # type: ignore[return-value]
            case Entry(body=body, indices=indices):
                value, change = self._dual(body, by, sizes)
                if len(indices) > value.rank:
                    raise DerivationError(f"{t.named(value)} has no {len(indices)} indices", node.place)
                names = [f"#{k}" for k in range(len(indices))]
                select = dict(zip(names, indices, strict=True))
                return tuple(
                    part and t.renamed(t.with_names(part, names), dict(select)) for part in (value, change)
                )  # type: ignore[return-value]
            case Sum():
                return self._sum(node, by, sizes)
            case Indicator(condition=condition):
                return self.mask(condition, sizes), None
            case Cases(values=values, conditions=conditions):
                left_over = t.number(1.0)
                result: Dual | None = None
                for value_node, condition in zip(values, conditions, strict=True):
                    mask = left_over
                    if not isinstance(condition, Otherwise):
                        own = self.mask(condition, sizes)
                        mask = t.multiply(left_over, own)
                        left_over = t.multiply(left_over, t.tensor(1 - own.data, own.axes))
                    part = product((mask, None), self._dual(value_node, by, sizes), t.multiply)
                    if result is not None and is_number(value_node, 0.0):  # of a vector too
                        result = (
                            t.entrywise(result[0], t.tensor(np.ones_like(mask.data), mask.axes)),
                            result[1],
                        )
                    elif result is not None and not result[0].rank and not result[0].data.any():
                        result = (
                            t.add(t.entrywise(result[0], t.scaled(part[0], 0.0)), part[0]),
                            total(result[1], part[1]),
                        )
                    else:
                        result = (
                            part if result is None else (t.add(result[0], part[0]), total(result[1], part[1]))
                        )
                assert result is not None
                return result
            case Derivative(of=of, by=symbol) | Differential(of=of, by=symbol):
                if by is not None and (self._scope.reaches(of, by)):
                    raise DerivationError("a derivative of a derivative is not known", node.place)
                if isinstance(node, Differential):
                    return self._change(of, symbol, sizes), None
                return self._derivative(of, symbol, sizes), None
        raise DerivationError("this cannot be evaluated", node.place)

    def _derivative(self, of: Node, by: Symbol, sizes: dict[str, int]) -> Tensor:
        """Return a derivative; without indices below the symbol it is a vector or a matrix."""
        seed = self._table(by.name, by.name)[0]
        if len(by.indices) > t.width(seed):
            raise DerivationError(f"{by.name} has {t.width(seed)} indices, not {len(by.indices)}", by.place)
        value, tangent = self._dual(of, by.name, sizes)
        if tangent is None:
            if self._scope.related(of, by.name):
                raise DerivationError(
                    f"by its definition this does not depend on {by.name.lstrip(chr(92))}", by.place
                )
            shape = seed.data.shape[: t.width(seed)]
            zeros = t.tensor(np.zeros(shape), [f"∂{k}" for k in range(len(shape))])
            tangent = t.entrywise(zeros, value)
        select = {f"∂{k}": index for k, index in enumerate(by.indices)}
        rest = [f"∂{k}" for k in range(len(by.indices), t.width(seed))]
        if value.rank and rest:
            raise DerivationError("the derivative of a vector by a vector is not known", by.place)
        if not rest:
            return t.renamed(tangent, dict(select))
        return t.unnamed(t.renamed(tangent, dict(select)), rest)

    def _change(self, of: Node, by: Symbol, sizes: dict[str, int]) -> Tensor:
        """Return how a tree changes where a symbol moves in its direction."""
        if by.name not in self.instance.directions:
            raise DerivationError("this differential is not known", by.place)
        value, tangent = self._dual(of, by.name, sizes)
        if tangent is None:
            return t.entrywise(value, t.number(0.0))
        return along(tangent, self.instance.directions[by.name], by.indices)

    def _sum(self, node: Sum, by: str | None, sizes: dict[str, int]) -> Dual:
        inner = dict(sizes)
        uppers = dict(node.uppers)
        for index in node.indices:
            size = self.index_size(index, node.body)
            upper = self.instance.sizes.get(uppers.get(index, ""))
            if size is not None and upper is not None and upper != size:
                raise DerivationError(
                    f"{index} runs to {uppers[index]}, but it stands for {size} values", node.place
                )
            peers = [own_indices(each) for each in walk(node.condition)] if node.condition else []
            near = [
                sizes[peer]
                for pair in peers
                if index in pair
                for peer in pair
                if peer in sizes and peer != index
            ]
            inner[index] = size or upper or (near[0] if near else self._default)
        value, tangent = self._dual(node.body, by, inner)
        mask = self.mask(node.condition, inner) if node.condition else None
        if node.kind == "prod":
            return self._product_over(node, (value, tangent), mask, inner)
        return tuple(part and self._summed(part, node.indices, mask, inner) for part in (value, tangent))  # type: ignore[return-value]

    def _product_over(self, node: Sum, dual: Dual, mask: Tensor | None, sizes: dict[str, int]) -> Dual:
        value, tangent = dual
        if value.rank:
            raise DerivationError("this product over indices is not known", node.place)
        slopes = None if tangent is None else t.entrywise(tangent, t.reciprocal(value))
        if mask is not None:  # one where the condition does not hold
            value = t.add(t.entrywise(value, mask), t.tensor(1 - mask.data, mask.axes))
        for index in node.indices:
            value = t.sum_axis(t.entrywise(value, t.tensor(np.ones(sizes[index]), [index])), index, "prod")
        if slopes is None:
            return value, None
        return value, t.entrywise(self._summed(slopes, node.indices, mask, sizes), value)

    def _summed(
        self, value: Tensor, indices: tuple[str, ...], mask: Tensor | None, sizes: dict[str, int]
    ) -> Tensor:
        if mask is not None:
            value = t.entrywise(value, mask)
        for index in indices:
            value = t.sum_axis(value, index) if index in value.axes else t.scaled(value, sizes[index])
        return value

    def _function(self, node: Function, by: str | None, sizes: dict[str, int]) -> Dual:
        value, change = self._dual(node.argument, by, sizes)
        if node.name in SMOOTH:
            if value.rank:
                raise DerivationError(f"{node.name} of {t.named(value)} is not known", node.place)
            return chain(value, change, *SMOOTH[node.name])
        if node.name == "tr" and value.rank == 2:
            return tuple(part and diagonal_sum(part) for part in (value, change))  # type: ignore[return-value]
        if node.name == "diag" and value.rank == 1:
            eye = t.tensor(np.eye(value.data.shape[-1]), rank=2)
            wide = (
                part and Tensor(part.data[..., None], part.error[..., None], part.axes, 2)
                for part in (value, change)
            )
            return tuple(part and spread_diagonal(part, eye) for part in wide)  # type: ignore[return-value]
        raise DerivationError(f"{node.name} of {t.named(value)} is not known", node.place)
