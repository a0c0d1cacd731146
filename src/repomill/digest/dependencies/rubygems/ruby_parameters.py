"""What the parameters of methods and blocks hold, when these are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repomill.digest.dependencies.rubygems.ruby_syntax import part
from repomill.digest.dependencies.rubygems.ruby_values import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tree_sitter import Node

    from repomill.digest.dependencies.rubygems.ruby_expressions import Evaluator
    from repomill.digest.dependencies.rubygems.ruby_values import Names, Value

_NAMED = frozenset({"keyword_parameter", "hash_splat_parameter"})


def bind_item(parameters: Node, item: Value, names: Names, values: Evaluator) -> None:
    """Give *item* to the parameters of a block, which take it apart if they are several."""
    if not isinstance(item, tuple) or len(parameters.named_children) == 1:
        item = (item,)
    bind(parameters, item, {}, names, values)


def bind(
    parameters: Node,
    arguments: Sequence[Value],
    options: Mapping[str, Value],
    names: Names,
    values: Evaluator,
) -> None:
    """Let *names* hold what *parameters* are given; of an optional one, at least its default."""
    targets = parameters.named_children
    if options and not any(target.type in _NAMED for target in targets):
        arguments = (*arguments, options)
    waiting, named = iter(arguments), dict(options)
    for target in targets:
        values.step()
        name, default = values.text(part(target, "name") or target), part(target, "value")
        missing = Unknown(name) if default is None else values.value(default, names)
        match target.type:
            case "destructured_parameter":
                item = next(waiting, missing)
                bind(target, item if isinstance(item, tuple) else (item,), {}, names, values)
            case "splat_parameter":
                names[name] = tuple(waiting)
            case "keyword_parameter":
                names[name] = named.pop(name, missing)
            case "hash_splat_parameter":
                names[name] = named
            case _:
                names[name] = next(waiting, missing)
