"""Edits of Python code, with libcst."""

from collections.abc import Mapping

import libcst as cst
import libcst.matchers as m


class _ReplaceFields(cst.CSTTransformer):
    """Exchange annotated attributes of one class, at the place of the first."""

    def __init__(self, class_name: str, old: set[str], new: list[str]) -> None:
        self.class_name, self.old, self.new = class_name, old, new

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:
        if original_node.name.value != self.class_name:
            return updated_node
        body: list[cst.BaseStatement] = []
        inserted = False
        for statement in updated_node.body.body:
            if attribute_name(statement) not in self.old:
                body.append(statement)  # type: ignore[arg-type]  # the body of a class on several lines has statements
            elif not inserted:
                body += [cst.parse_statement(text) for text in self.new]
                inserted = True
        return updated_node.with_changes(body=updated_node.body.with_changes(body=body))


def attribute_name(statement: cst.CSTNode) -> str | None:
    """Return the name of an annotated attribute; None for any other statement."""
    found = m.extract(
        statement,
        m.SimpleStatementLine(body=[m.AnnAssign(target=m.Name(value=m.SaveMatchedNode(m.DoNotCare(), "name")))]),
    )
    name = found and found["name"]
    return name if isinstance(name, str) else None


def replace_fields(text: str, class_name: str, old: set[str], new: list[str]) -> str:
    """Replace annotated attributes of a class."""
    return cst.parse_module(text).visit(_ReplaceFields(class_name, old, new)).code


class ReplaceValues(cst.CSTTransformer):
    """Replace the values of assignments; None removes the assignment."""

    def __init__(self, values: Mapping[str, str | None]) -> None:
        self.values = values

    def apply(self, text: str) -> str:
        """Return the text with the new values."""
        return cst.parse_module(text).visit(self).code

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.RemovalSentinel:
        assignment = updated_node.body[0]
        if isinstance(assignment, cst.Assign):
            target = assignment.targets[0].target
        elif isinstance(assignment, cst.AnnAssign):
            target = assignment.target
        else:
            return updated_node
        if not isinstance(target, cst.Name) or target.value not in self.values:
            return updated_node
        value = self.values[target.value]
        if value is None:
            return cst.RemoveFromParent()
        return updated_node.with_changes(body=[assignment.with_changes(value=cst.parse_expression(value))])


def remove_functions(text: str, names: set[str]) -> str:
    """Remove functions of a module."""
    module = cst.parse_module(text)
    kept = [part for part in module.body if not (isinstance(part, cst.FunctionDef) and part.name.value in names)]
    return module.with_changes(body=kept).code


class RemoveTitle(cst.CSTTransformer):
    """Remove a parameter of the list: from signatures, calls, conditions, assignments and tuples of names."""

    def __init__(self, name: str) -> None:
        self.name = name

    def apply(self, text: str) -> str:
        """Return the text without the parameter."""
        return cst.parse_module(text).visit(self).code

    def leave_Param(self, original_node: cst.Param, updated_node: cst.Param) -> cst.Param | cst.RemovalSentinel:
        return cst.RemoveFromParent() if original_node.name.value == self.name else updated_node

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg | cst.RemovalSentinel:
        is_column = m.matches(original_node.value, m.Attribute(attr=m.Name(self.name)))
        is_value = m.matches(original_node.value, m.Name(self.name))
        return cst.RemoveFromParent() if is_column or is_value else updated_node

    def leave_Element(self, original_node: cst.Element, updated_node: cst.Element) -> cst.Element | cst.RemovalSentinel:
        is_name = m.matches(original_node.value, m.SimpleString(f'"{self.name}"'))
        return cst.RemoveFromParent() if is_name else updated_node

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If | cst.RemovalSentinel:
        is_about = m.matches(original_node.test, m.Comparison(left=m.Name(self.name)))
        return cst.RemoveFromParent() if is_about else updated_node

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.RemovalSentinel:
        is_about = m.matches(original_node, m.SimpleStatementLine([m.Assign([m.AssignTarget(m.Name(self.name))])]))
        return cst.RemoveFromParent() if is_about else updated_node
