"""What the expressions of an sbt build come to, as far as that is settled by what is written.

An expression has values: the strings or the modules it stands for, one after the other, and none
where it is not known. What is conditional on something unknown has the values of all branches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repomill.digest.dependencies.sbt.names import (
    Frame,
    Members,
    Module,
    Names,
    Value,
    Values,
)
from repomill.digest.dependencies.sbt.scala_tree import (
    Block,
    Call,
    Case,
    Definition,
    If,
    Infix,
    Lambda,
    Match,
    Name,
    Node,
    Select,
    Several,
    Text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from repomill.digest.dependencies.sbt.names import Budget, Found
    from repomill.digest.dependencies.sbt.scala_tree import Scope

_MAX_LENGTH = 500
"""Of a string that is put together: no name or version is longer."""
_MAX_PATH = 10
"""Names of objects within each other."""
_FREE = 8
"""Values, or names bound, that are looked at within one step."""


COLLECTIONS = frozenset({"Seq", "List", "Set", "Vector", "Array", "Some", "Option", "Nil"})
_JOINS = frozenset({"++", ":+", "+:", "::", ":::", "++:", "+", "->", "apply", "union"})
_MAPS = frozenset({"map", "flatMap", "foreach", "pipe"})
_CROSSES = frozenset({"cross", "withCrossVersion"})
_CONFIGURES = frozenset({"withConfigurations", "withConfiguration"})
_ELSE = frozenset({"getOrElse", "orElse"})
_IDENTICAL = frozenset(
    {"value", "toString", "trim", "stripMargin", "get"}
    | {"toSeq", "toList", "toVector", "seq", "filter", "filterNot", "distinct", "sorted"}
    | {"exclude", "excludeAll", "intransitive", "notTransitive", "force", "changing"}
    | {"classifier", "from", "artifacts", "jar", "pomOnly", "withSources", "withJavadoc"}
    | {"settings", "dependsOn", "aggregate", "configure", "enablePlugins"}
)
"""Methods whose values are those of what they are called on; a classifier is told besides."""
_CONFIGURATIONS = frozenset(
    {"Test", "IntegrationTest", "Provided", "Compile", "Runtime", "Optional"}
)


class Evaluation:
    """Works out expressions of one build."""

    def __init__(
        self,
        objects: Mapping[str, tuple[Definition, str]],
        known: Mapping[str, Value],
        budget: Budget,
    ) -> None:
        """*objects* are those that every file sees; *known* values are of names defined nowhere."""
        self._budget = budget
        self._names = Names(objects, self._budget)
        self._known = dict(known)
        self._values: dict[tuple[int, tuple[tuple[str, Values], ...]], Values] = {}
        self._members: dict[tuple[Scope, Frame], Members] = {}
        self._by_kind: Mapping[type, Callable[[Any, Frame], Values]] = {
            Text: self._text,
            Name: lambda node, frame: self._name(node.name, frame),
            Select: self._select,
            Call: self._call,
            Infix: self._infix,
            Several: lambda node, frame: self._all(node.parts, frame),
            Block: self._block,
            Case: lambda node, frame: self.values(node.body, frame),
            If: self._if,
            Match: self._match,
            Lambda: self._lambda,
        }
        self.reached: set[int] = set()
        """Definitions that something else needed, by identity."""
        self.unnamed: dict[tuple[str, int], str] = {}
        """Modules whose organization or name is not settled: what is, if anything."""

    def values(self, node: Node, frame: Frame) -> Values:
        """Return what *node* comes to. Raises ManifestError if that takes too long."""
        work_out = self._by_kind.get(type(node))
        values = () if work_out is None else work_out(node, frame)
        self._budget.spend(len(values) // _FREE)
        return values

    def unknown(self, node: Node, frame: Frame) -> str:
        """Return the name that *node* is, with those of the objects it is in, if nothing has it."""
        path: list[str] = []
        while isinstance(node, Select) and len(path) < _MAX_PATH:
            path.append(node.name)
            node = node.of
        if not isinstance(node, Name) or node.name in COLLECTIONS:
            return ""
        self._budget.spend(1 + len(frame.bound) // _FREE)
        is_bound = any(name == node.name for name, _ in frame.bound)
        if is_bound or self._names.find(node.name, frame) is not None:
            return ""
        return ".".join([node.name, *reversed(path)])

    def bind(self, frame: Frame, names: Mapping[str, Values]) -> Frame:
        """Return *frame* with *names* bound, too."""
        bound = dict(frame.bound)
        bound.update(names)
        self._budget.spend(1 + len(bound) // _FREE)
        return frame._replace(bound=tuple(bound.items()))

    def learn(self, name: str, value: str) -> None:
        """Take *value* for what *name* means where nothing defines it."""
        self._known[name] = value
        self._values.clear()

    def value_of(
        self, definition: Definition, frame: Frame, arguments: Mapping[str, Values] | None = None
    ) -> Values:
        """Return what *definition* comes to for *arguments*, seen from where *frame* is."""
        self.reached.add(id(definition))
        inside = self.inside(definition, frame, arguments or {})
        if isinstance(definition.body, Block) and definition.body.is_template:
            return (self._object_in(definition.body.scope, inside),)
        self._budget.spend(sum(len(values) for _, values in inside.bound) // _FREE)
        key = (id(definition), inside.bound)
        if key not in self._values:
            self._values[key] = ()  # which is what a definition by itself comes to
            self._values[key] = self.values(definition.body, inside)
        return self._values[key]

    def inside(
        self, definition: Definition, frame: Frame, arguments: Mapping[str, Values]
    ) -> Frame:
        """Return where the body of *definition* stands when it is given *arguments*."""
        bound = frame.bound if definition.scope.is_local else ()
        inside = Frame(definition.scope, bound, frame.path)
        if not definition.parameters:
            return inside
        given = {}
        for name, default in definition.parameters:
            if name in arguments:
                given[name] = arguments[name]
            else:
                given[name] = () if default is None else self.values(default, inside)
        return self.bind(inside, given)

    def _step(self, values: Values) -> Values:
        self._budget.spend(1 + len(values))
        return values

    def _joined(self, parts: Iterable[Values]) -> Values:
        unlike = {id(part): part for part in parts}.values()  # a name's values are one object
        return self._step(tuple(dict.fromkeys(value for part in unlike for value in part)))

    def _object_in(self, scope: Scope, frame: Frame) -> Members:
        return self._members.setdefault((scope, frame), Members(scope, frame))

    def _all(self, nodes: Sequence[Node], frame: Frame) -> Values:
        if len(nodes) == 1:
            return self.values(nodes[0], frame)
        return self._joined([self.values(node, frame) for node in nodes])

    def _text(self, node: Text, frame: Frame) -> Values:
        text = ""
        for part in node.parts:
            if isinstance(part, str):
                text += part
                continue
            inserted = _string(self.values(part, frame))
            if inserted is None or len(text) > _MAX_LENGTH:
                return ()
            text += inserted
        return self._step((text,)) if len(text) <= _MAX_LENGTH else ()

    # Names

    def _name(self, name: str, frame: Frame) -> Values:
        for place, (bound, values) in enumerate(frame.bound):
            if bound == name:
                self._budget.spend(place // _FREE)
                return self._step(values)
        self._budget.spend(len(frame.bound) // _FREE)
        found = self._names.find(name, frame)
        if found is None:
            return (_placed(self._known[name], frame),) if name in self._known else ()
        return self.value_of(*found)

    def _select(self, node: Select, frame: Frame) -> Values:
        if isinstance(node.of, Name | Select):
            known = self._known.get(f"{node.of.name}.{node.name}")
            if known is not None:
                return (_placed(known, frame),)
        of = self._object(node.of, frame)
        found = self._names.member(node.name, of)
        if found is not None:
            return self.value_of(*found)
        return of if node.name in _IDENTICAL else _modules(of)

    def _object(self, node: Node, frame: Frame) -> Values:
        """Return the values of what is selected from; packages before an object do not count."""
        values = self.values(node, frame)
        if not values and isinstance(node, Select):
            found = self._names.shared(node.name)
            return values if found is None else self.value_of(*found)
        return values

    # Calls

    def _call(self, node: Call, frame: Frame) -> Values:
        function, arguments = node.function, node.arguments
        if isinstance(function, Name):
            if function.name in COLLECTIONS:
                return self._all(arguments, frame)
            if function.name == "compilerPlugin":
                return _configured(self._all(arguments, frame), "plugin")
            found = self._names.find(function.name, frame)
            if found is not None and not any(name == function.name for name, _ in frame.bound):
                return self._called(found, arguments, frame)
        if isinstance(function, Select):
            return self._method(function, arguments, frame)
        return _modules(self._joined([self.values(function, frame), self._all(arguments, frame)]))

    def _called(self, found: Found, arguments: Sequence[Node], frame: Frame) -> Values:
        definition, there = found
        if isinstance(definition.body, Block) and definition.body.is_template:
            apply = self._names.member("apply", self.value_of(definition, there))
            if apply is None:
                return _modules(self._all(arguments, frame))
            return self._called(apply, arguments, frame)
        if not definition.parameters and isinstance(definition.body, Lambda) and arguments:
            each = [self.values(argument, frame) for argument in arguments]
            bound = dict(zip(definition.body.parameters, each, strict=False))
            self.reached.add(id(definition))
            inside = self.inside(definition, there, {})
            return self.values(definition.body.body, self.bind(inside, bound))
        given = self.given(definition, arguments, frame)
        values = self.value_of(definition, there, given)
        if any(isinstance(value, Module) for value in values):
            return values
        # What makes no modules may still add those that it is given.
        return self._joined([values, *map(_modules, given.values())])

    def given(
        self, definition: Definition, arguments: Sequence[Node], frame: Frame
    ) -> dict[str, Values]:
        """Return what *arguments* give to the parameters of *definition*."""
        names = [name for name, _ in definition.parameters]
        self._budget.spend(len(names) // _FREE)
        given: dict[str, Values] = {}
        for place, argument in enumerate(arguments):
            if not names:
                break
            name = names[min(place, len(names) - 1)]
            value = argument
            if isinstance(argument, Infix) and argument.operator == "=":
                value = argument.right
                name = argument.left.name if isinstance(argument.left, Name) else name
            values = self.values(value, frame)
            given[name] = self._joined([given[name], values]) if name in given else values
        return given

    def _method(self, function: Select, arguments: Sequence[Node], frame: Frame) -> Values:
        of, name = self._object(function.of, frame), function.name
        found = self._names.member(name, of)
        if found is not None:
            return self._called(found, arguments, frame)
        if name in _IDENTICAL:
            classifier = _string(self._all(arguments, frame)) if name == "classifier" else None
            return of if classifier is None else _classified(of, classifier)
        if name in _MAPS and arguments:
            return self._mapped(of, arguments[0], frame)
        if name in _CROSSES:
            return tuple(_crossed(value, arguments) for value in of)
        if name in _CONFIGURES:
            return _configured(of, self._configuration(arguments, frame))
        if name in _ELSE:  # what is written is what there is without a setting from outside
            of, arguments = (), arguments[-1:]
        values = self._joined([of, self._all(arguments, frame)])
        return values if name in _JOINS or name in _ELSE else _modules(values)

    def _mapped(self, items: Values, function: Node, frame: Frame) -> Values:
        while isinstance(function, Block) and len(function.statements) == 1:
            function = function.statements[0]
        if isinstance(function, Name) and (found := self._names.find(function.name, frame)):
            parameters = found[0].parameters
            if parameters:
                return self._joined(
                    self.value_of(*found, {parameters[0][0]: (item,)}) for item in items
                )
        if isinstance(function, Lambda):
            names, body = function.parameters[:1], function.body
        else:
            names, body = ["_"], function
        results = []
        for item in items:
            result = self.values(body, self.bind(frame, dict.fromkeys(names, (item,))))
            results.append(result or _modules((item,)))
        return self._joined(results)

    # Operators

    def _infix(self, node: Infix, frame: Frame) -> Values:
        if node.operator in {"%", "%%", "%%%"}:
            return self._percent(node, frame)
        if node.operator == "=":  # an argument with its name
            return self.values(node.right, frame)
        if node.operator not in _JOINS:
            return ()
        left, right = self.values(node.left, frame), self.values(node.right, frame)
        if node.operator == "+" and (_string(left) is not None or _string(right) is not None):
            one, other = _string(left), _string(right)
            if one is None or other is None or len(one + other) > _MAX_LENGTH:
                return ()
            return (one + other,)
        return self._joined([left, right])

    def _percent(self, node: Infix, frame: Frame) -> Values:
        results: list[Value] = []
        left = self.values(node.left, frame)
        right: Values | None = None
        for value in left or ("",):
            if isinstance(value, Module) and value.parts > 2:  # noqa: PLR2004 name and version
                results.append(
                    value._replace(parts=4, configuration=self._configuration([node.right], frame))
                )
                continue
            right = self.values(node.right, frame) if right is None else right
            self._budget.spend(1 + len(right))
            strings = [one for one in right if isinstance(one, str)]
            if isinstance(value, Module):
                known = [value._replace(parts=3, version=one) for one in strings]
                results += known or [value._replace(parts=3)]
            elif isinstance(value, str):
                results += self._named(node, value, strings, frame)
        return self._step(tuple(dict.fromkeys(results)))

    def _named(
        self, node: Infix, organization: str, names: list[str], frame: Frame
    ) -> list[Module]:
        place = (frame.path, id(node))
        if not organization or not names:
            if node.operator != "%":
                self.unnamed.setdefault(place, organization or (names or [""])[0])
            elif not organization and isinstance(node.left, Infix):
                self._note_unnamed(node.left, frame)
            return []
        self.unnamed[place] = ""
        return [Module(*place, organization, node.operator, name) for name in names]

    def _note_unnamed(self, node: Infix, frame: Frame) -> None:
        """Note ``organization % name`` that a version follows, if one of both is settled."""
        if node.operator != "%" or isinstance(node.left, Infix):
            return
        for part in (node.left, node.right):
            if text := _string(self.values(part, frame)):
                self.unnamed.setdefault((frame.path, id(node)), text)

    def _configuration(self, nodes: Sequence[Node], frame: Frame) -> str:
        """Return the configuration that *nodes* name: ``Test``, ``"it,test"``, ``Some("x")``."""
        for node in nodes:
            if isinstance(node, Name | Select) and node.name in _CONFIGURATIONS:
                return node.name
            text = _string(self.values(node, frame))
            if text is not None:
                return text
            if isinstance(node, Name | Select):
                return node.name
        return ""

    # Branches

    def _block(self, block: Block, frame: Frame) -> Values:
        inside = frame._replace(scope=block.scope)
        if block.is_template:
            return (self._object_in(block.scope, inside),)
        if block.cases:
            return self._joined(self.values(case, frame) for case in block.cases)
        return self.values(block.statements[-1], inside) if block.statements else ()

    def _lambda(self, node: Lambda, frame: Frame) -> Values:
        """Return what comes of a function that nothing is known to be given to."""
        return self.values(node.body, self.bind(frame, dict.fromkeys(node.parameters, ())))

    def _if(self, node: If, frame: Frame) -> Values:
        condition = node.condition
        if isinstance(condition, Infix) and condition.operator in {"==", "!="}:
            one = _string(self.values(condition.left, frame))
            other = _string(self.values(condition.right, frame))
            if one is not None and other is not None:
                is_met = (one == other) == (condition.operator == "==")
                return self.values(node.then if is_met else node.otherwise, frame)
        return self._joined([self.values(node.then, frame), self.values(node.otherwise, frame)])

    def _match(self, node: Match, frame: Frame) -> Values:
        subject = _string(self.values(node.subject, frame))
        if subject is not None:
            for case in node.cases:
                if case.literals is None:
                    break
                if not case.literals or subject in case.literals:
                    return self.values(case, frame)
        return self._joined(self.values(case, frame) for case in node.cases)


def _placed(value: Value, frame: Frame) -> Value:
    return value._replace(path=frame.path) if isinstance(value, Module) else value


def _string(values: Values) -> str | None:
    """Return the one string that *values* are."""
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None


def _modules(values: Values) -> Values:
    return tuple(value for value in values if isinstance(value, Module))


def _configured(values: Values, configuration: str) -> Values:
    return tuple(
        value._replace(parts=4, configuration=configuration) if isinstance(value, Module) else value
        for value in values
    )


def _classified(values: Values, classifier: str) -> Values:
    return tuple(
        value._replace(classifier=classifier) if isinstance(value, Module) else value
        for value in values
    )


def _crossed(value: Value, arguments: Sequence[Node]) -> Value:
    node = arguments[0] if arguments else None
    node = node.function if isinstance(node, Call) else node
    if not isinstance(value, Module) or not isinstance(node, Name | Select):
        return value
    return value._replace(cross=node.name)
