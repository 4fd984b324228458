"""Include the router of a resource in version 1 of the API, and leave it out again."""

import libcst as cst
import libcst.matchers as m

from dayone.errors import ToolError

ROUTER = "app/api/v1/router.py"
PACKAGE = m.ImportFrom(module=m.Attribute(m.Attribute(m.Name("app"), m.Name("api")), m.Name("v1")))


class _Register(cst.CSTTransformer):
    """Add a module to the import and to the list, or remove it from both."""

    def __init__(self, module: str, *, is_removed: bool) -> None:
        self.module, self.is_removed = module, is_removed
        self.edited = 0

    def _is_module(self, node: cst.CSTNode) -> bool:
        return m.matches(node, m.Name(self.module))

    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> cst.ImportFrom:
        if not m.matches(original_node, PACKAGE) or isinstance(updated_node.names, cst.ImportStar):
            return updated_node
        self.edited += 1
        kept = [alias for alias in updated_node.names if not (self.is_removed and self._is_module(alias.name))]
        if not self.is_removed and not any(self._is_module(alias.name) for alias in kept):
            kept.append(cst.ImportAlias(cst.Name(self.module)))
        names = [alias.with_changes(comma=cst.MaybeSentinel.DEFAULT) for alias in kept]
        return updated_node.with_changes(names=names)

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        if not m.matches(original_node.target, m.Name("part")) or not isinstance(updated_node.iter, cst.Tuple):
            return updated_node
        self.edited += 1
        elements = updated_node.iter.elements
        kept = [element for element in elements if not (self.is_removed and self._is_module(element.value))]
        if not self.is_removed and not any(self._is_module(element.value) for element in kept):
            kept.append(cst.Element(cst.Name(self.module)))
        elements = [element.with_changes(comma=cst.MaybeSentinel.DEFAULT) for element in kept]
        return updated_node.with_changes(iter=updated_node.iter.with_changes(elements=elements))


def register(text: str, module: str, *, is_removed: bool = False) -> str:
    """Return the text of the router with a module included, or left out; raise ToolError if it has another form."""
    edit = _Register(module, is_removed=is_removed)
    changed = cst.parse_module(text).visit(edit).code
    if edit.edited != 2:  # noqa: PLR2004  the import and the list
        raise ToolError(
            f"{ROUTER} no longer has one import from app.api.v1 and one `for part in (...)`: edit it by hand"
        )
    return changed
