"""What every drawing must be: well-formed, accessible, finite, self-contained, inert."""

import re
from xml.etree import ElementTree

import pytest

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def sound():
    """Check the laws of a drawing and return its parsed root."""

    def check(drawing: str) -> ElementTree.Element:
        root = ElementTree.fromstring(drawing)
        assert root.tag == f"{SVG}svg" and root.get("role") == "img"
        assert root[0].tag == f"{SVG}title" and root[0].text
        attributes = [f"{name}={value}" for node in root.iter() for name, value in node.attrib.items()]
        assert not [pair for pair in attributes if re.search(r"(?<![a-z])([nN]a[nN]|inf|None)(?![a-z])", pair)]
        assert not [node for node in root.iter() if node.tag in (f"{SVG}script", f"{SVG}style", f"{SVG}image")]
        assert not [pair for pair in attributes if re.match(r"(on\w+|.*href)=|.*url\(|.*https?://", pair)]
        assert "http" not in drawing.replace("http://www.w3.org/2000/svg", "")
        return root

    return check


@pytest.fixture
def texts():
    """Every written text of a parsed drawing, in its order, without what only a resting pointer shows."""

    def read(root: ElementTree.Element) -> list[str]:
        return [(list(node)[-1].tail if len(node) else node.text) or "" for node in root.iter(f"{SVG}text")]

    return read
