"""Makes one class of a dialect and the family derived from it, where a file has both; made.py uses it.

The class of a family only gives values to what its dialect has. As a class of its own it costs heap and flash, and each
call of a method looks for it there first.
"""

import ast


def values(node):
    """{name: statement} of a class that has nothing but values, and perhaps a docstring; else None."""
    found = {}
    for each in node.body:
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
            found[each.targets[0].id] = each
        elif not isinstance(each, ast.Pass) and not (
            isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
        ):
            return None
    return found


def said(tree, name):
    """How often a syntax tree says a name."""
    return sum(getattr(node, "id", "") == name for node in ast.walk(tree))


def joined(tree, taken):
    """The syntax tree of a file in which each class that only has values, and is all that says the name of its base,
    has become one with it; but for bases in ``taken``, which other files import."""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in list(classes.values()):
        base = classes.get(getattr(node.bases[0], "id", "")) if len(node.bases) == 1 else None
        mine = values(node)
        if base and mine is not None and base.name not in taken and said(tree, base.name) == 1:
            lines = [each for each in base.body if getattr(getattr(each, "targets", [None])[0], "id", "") not in mine]
            node.body = lines + list(mine.values())
            node.bases = base.bases
            tree.body.remove(base)
    return tree
