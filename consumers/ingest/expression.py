"""Evaluates JMESPath expressions over one payload within a budget: a tenant's expression never
holds the loop.

Each visited node of an expression costs one unit, each value and each character that is produced or
compared its share. One unit is about half a microsecond, measured on what Python does for it.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError
from jmespath.functions import Functions
from jmespath.visitor import Options, TreeInterpreter

# 20,000 cells of five nodes each, and the payload they come from, are half of it; all of it takes a
# tenth of a second.
MOST_UNITS = 200_000
# The processor's time, not the wall's: what other processes do must not decide what becomes of a
# payload.
MOST_SECONDS = 0.4
LOOK_UNITS = 4096
# What jmespath lets out of an expression that does not fit: a slice of step 0, `contains` of a
# number, endless nesting.
INAPPLICABLE = (JMESPathError, ValueError, TypeError, ArithmeticError, RecursionError)
CONSTANT = frozenset(
    {"length", "type", "to_array", "not_null", "map", "min_by", "max_by", "sort_by"}
)


class Inapplicable(Exception):
    """The expression does not fit the payload."""


class TooCostly(Inapplicable):
    """The expressions of one payload would take more than their budget."""


class Budget:
    """What may be spent on one payload."""

    def __init__(self, units: int = MOST_UNITS, seconds: float = MOST_SECONDS) -> None:
        self.left = units
        self.look_below = max(0, units - LOOK_UNITS)
        self._ends = time.thread_time() + seconds

    def spend(self, units: int) -> None:
        """Take so many units; raises TooCostly when they are not left, or the time is not."""
        self.left -= units
        if self.left < self.look_below:
            self.look()

    def look(self) -> None:
        """Compare with the clock, as seldom as pays."""
        if self.left < 0 or time.thread_time() > self._ends:
            self.left = -1
            raise TooCostly(
                "it takes too much work: keep expressions shorter, or the payload smaller"
            )
        self.look_below = max(0, self.left - LOOK_UNITS)

    def weigh(self, value: Any) -> None:
        """Count what walking through a whole value costs.

        A part that occurs in it twice counts twice.
        """
        waiting = [value]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                self.spend(1 + (len(one) >> 5))
            elif isinstance(one, list):
                self.spend(1 + len(one))
                waiting.extend(one)
            elif isinstance(one, dict):
                self.spend(1 + len(one))
                waiting.extend(one)
                waiting.extend(one.values())
            elif isinstance(one, int):
                self.spend(one.bit_length() >> 6)


class Evaluation:
    """Evaluates the expressions of one payload within one budget.

    Reading its bytes is part of what it costs.
    """

    def __init__(self, body_bytes: int = 0) -> None:
        self.budget = Budget(MOST_UNITS - (body_bytes >> 6))
        self._interpreter = _Interpreter(self.budget)

    def search(self, expression: str, payload: Any) -> Any:
        """Return what the expression finds.

        Raises Inapplicable, and TooCostly for good once the budget is spent.
        """
        try:
            return self._interpreter.visit(jmespath.compile(expression).parsed, payload)
        except JMESPathTypeError as error:  # its own text holds the whole value
            wanted = " or ".join(error.expected_types)
            raise Inapplicable(
                f"{error.function_name}() takes {wanted}, not {error.actual_type}"
            ) from None
        except INAPPLICABLE as error:
            raise Inapplicable(str(error)[:500]) from None


class _Interpreter(TreeInterpreter):
    """Visits the nodes of an expression, and spends for each what it costs."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(Options(custom_functions=_Functions(budget)))
        self._budget = budget

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluate one node, within the budget."""
        budget = self._budget
        budget.left -= 1
        if budget.left < budget.look_below:
            budget.look()
        return _VISITS[node["type"]](self, node, *args, **kwargs)

    def visit_comparator(self, node: Any, value: Any) -> Any:
        """Compare, after what is compared is paid for."""
        if self.COMPARATOR_FUNC is TreeInterpreter.COMPARATOR_FUNC:
            self.COMPARATOR_FUNC = {  # type: ignore[misc]  # the interpreter looks it up on itself
                name: partial(self._compared, compare)
                for name, compare in TreeInterpreter.COMPARATOR_FUNC.items()
            }
        return super().visit_comparator(node, value)

    def visit_flatten(self, node: Any, value: Any) -> Any:
        """Merge the lists of a list, after their members are paid for."""
        found = self.visit(node["children"][0], value)
        if not isinstance(found, list):
            return None
        self._budget.spend(len(found) >> 2)
        self._budget.spend(sum(len(one) for one in found if isinstance(one, list)) >> 3)
        merged: list[Any] = []
        for one in found:
            if isinstance(one, list):
                merged.extend(one)
            else:
                merged.append(one)
        return merged

    def visit_slice(self, node: Any, value: Any) -> Any:
        """Copy a part of a list, after its members are paid for."""
        if not isinstance(value, list):
            return None
        part = slice(*node["children"])
        self._budget.spend(len(range(*part.indices(len(value)))) >> 4)
        return value[part]

    def _compared(self, compare: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        if isinstance(left, str) and isinstance(right, str):
            self._budget.spend(min(len(left), len(right)) >> 6)
        elif (
            isinstance(right, list | dict) and type(left) is type(right) and len(left) == len(right)
        ):
            self._budget.weigh(right)
        return compare(left, right)


_VISITS: dict[str, Callable[..., Any]] = {
    name.removeprefix("visit_"): getattr(_Interpreter, name)
    for name in dir(_Interpreter)
    if name.startswith("visit_")
}


class _Functions(Functions):
    """JMESPath's functions, each paid for before it runs."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:
        """Call a function by its name."""
        given = list(resolved_args)
        if given and function_name not in CONSTANT:
            self._spend(function_name, given)
        return super().call_function(function_name, given)

    def _spend(self, name: str, given: list[Any]) -> None:
        spend, first = self._budget.spend, given[0]
        if name == "to_string":
            if not isinstance(first, str):
                self._budget.weigh(first)
        elif name == "contains" and isinstance(first, list) and len(given) == 2:
            self._spend_contains(first, given[1])
        elif name == "contains" and isinstance(first, str):
            self._spend_search(first, given)
        elif name == "reverse" and isinstance(first, list):
            spend(len(first) >> 4)
        else:
            if name == "join" and isinstance(first, str) and isinstance(given[-1], list):
                spend(len(first) * len(given[-1]) >> 5)  # each separator is copied once a member
            for one in given:
                if isinstance(one, str):
                    spend(len(one) >> 6)
                elif isinstance(one, list):
                    self._spend_list(name, one)
                elif isinstance(one, dict):
                    spend(len(one) >> 1)

    def _spend_search(self, text: str, given: list[Any]) -> None:
        """At worst each place of the text is compared to a part of what is looked for."""
        wanted = len(given[-1]) if isinstance(given[-1], str) else 0
        self._budget.spend((len(text) >> 6) + (len(text) * min(wanted, 64) >> 8))

    def _spend_contains(self, members: list[Any], wanted: Any) -> None:
        """Every member may be compared to its last part."""
        before = self._budget.left
        self._budget.weigh(wanted)
        each = before - self._budget.left
        self._budget.spend((len(members) >> 2) + (len(members) * (each - 1) if each > 1 else 0))

    def _spend_list(self, name: str, members: list[Any]) -> None:
        self._budget.spend(len(members) >> 1)
        texts = sum(len(one) for one in members if isinstance(one, str))
        self._budget.spend(texts >> 5)
        if name == "sort":
            self._budget.spend(len(members) * len(members).bit_length() >> 3)

    def _create_key_func(
        self, expref: Any, allowed_types: list[str], function_name: str
    ) -> Callable[[Any], Any]:
        key_of = super()._create_key_func(expref, allowed_types, function_name)  # type: ignore[misc]

        def paid(one: Any) -> Any:
            key = key_of(one)
            self._budget.spend(2 + (len(key) >> 6 if isinstance(key, str) else 0))
            return key

        return paid
