"""Pictures of a notebook: decoded here, measured, and written where the typesetter can read them.

Every raster picture is decoded completely; a large one or one of an uncommon kind is converted. A vector
picture keeps neither scripts nor links to anything outside of it.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from PIL import Image

MAX_BYTES, MAX_VECTOR_BYTES, MAX_PIXELS, MAX_SIDE = 40 << 20, 8 << 20, 50_000_000, 2400
COMMON_MODES = ("1", "L", "LA", "RGB", "RGBA", "P")  # of pixels; the typesetter may not read the others
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
KINDS = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
POINTS_PER_PIXEL = 0.58
UNITS = {"": 0.75, "px": 0.75, "pt": 1.0, "in": 72.0, "cm": 28.35, "mm": 2.835, "pc": 12.0, "em": 12.0}
INNER_LINK = re.compile(r"#|data:image/(?:png|jpeg|jpg|gif|webp);base64,")
ACTIVE = ("script", "foreignObject", "handler", "iframe")
DATA_ADDRESS = re.compile(r"data:(image/[a-z+]+)(?:;[\w=-]+)*?(;base64)?,(.*)", re.S | re.I)


class PictureUnreadableError(Exception):
    """The data is no picture that can be shown; the message, which replaces it on the page, says why."""


@dataclass(frozen=True)
class Picture:
    """A picture on disk: its file, relative to the folder, and its natural size in points."""

    file: str
    width: float
    height: float


@dataclass
class Pictures:
    """The pictures of one document, in `folder`/pictures, each written once."""

    folder: Path
    by_data: dict[bytes, Picture] = field(default_factory=dict)

    def add(self, data: bytes, kind: str = "") -> Picture:
        """Return the picture of a file's content; raise PictureUnreadableError."""
        if len(data) > MAX_BYTES:
            raise PictureUnreadableError(f"a picture of {len(data) >> 20} MB is left out")
        if data not in self.by_data:
            vector = kind == "image/svg+xml" or data.lstrip()[:5] in (b"<?xml", b"<svg ", b"<!DOC")
            content, form, width, height = _read_vector(data) if vector else _read_raster(data)
            file = f"pictures/{len(self.by_data)}.{form}"
            path = self.folder / file
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            self.by_data[data] = Picture(file, width, height)
        return self.by_data[data]

    def add_base64(self, content: str, kind: str) -> Picture:
        """Return the picture of an output or attachment; raise PictureUnreadableError."""
        if kind == "image/svg+xml" and "<svg" in content:
            return self.add(content.encode("utf-8", "replace"), kind)
        try:
            return self.add(base64.b64decode(content), kind)
        except (binascii.Error, ValueError) as error:
            raise PictureUnreadableError("a damaged picture is left out") from error

    def add_address(self, address: str) -> Picture:
        """Return the picture of a `data:` address; raise PictureUnreadableError."""
        parts = DATA_ADDRESS.fullmatch(address)
        if parts is None:
            raise PictureUnreadableError("a picture of an unknown kind is left out")
        content = unquote_to_bytes(parts[3])
        if parts[2]:
            return self.add_base64(content.decode("ascii", "replace"), parts[1].lower())
        return self.add(content, parts[1].lower())


def _read_raster(data: bytes) -> tuple[bytes, str, float, float]:
    """Return the content to set, its format, and its width and height in points."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise PictureUnreadableError(f"a picture of {width} x {height} pixels is left out")
                image.load()
                form = "jpeg" if image.format == "JPEG" else "png"
                usual = image.format in ("PNG", "JPEG") and image.mode in COMMON_MODES
                if usual and max(image.size) <= MAX_SIDE:
                    content = data
                else:
                    small = image.convert("RGB" if form == "jpeg" else "RGBA")
                    small.thumbnail((MAX_SIDE, MAX_SIDE))
                    target = io.BytesIO()
                    small.save(target, form)
                    content = target.getvalue()
    except PictureUnreadableError:
        raise
    except Exception as error:  # damaged data can make a decoder raise anything
        raise PictureUnreadableError("a damaged picture is left out") from error
    return content, form, width * POINTS_PER_PIXEL, height * POINTS_PER_PIXEL


def safe_vector(data: bytes) -> bytes:
    """Return an SVG without scripts and outside links; raise PictureUnreadableError."""
    if len(data) > MAX_VECTOR_BYTES or b"<!ENTITY" in data:
        raise PictureUnreadableError("a vector picture that is very large or unusual is left out")
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 -- it declares no entities, see above
        if _name(root.tag) != "svg":
            raise PictureUnreadableError("a damaged picture is left out")
        for element in root.iter():
            for child in [child for child in element if _name(child.tag) in ACTIVE]:
                element.remove(child)
            for key in [key for key in element.attrib if _name(key) in ("href", "src")]:
                if not INNER_LINK.match(element.attrib[key].strip()):
                    del element.attrib[key]
        return ElementTree.tostring(root)
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
        raise PictureUnreadableError("a damaged picture is left out") from error


def _read_vector(data: bytes) -> tuple[bytes, str, float, float]:
    """Return an SVG without scripts and outside links, its format, and its width and height in points."""
    content = safe_vector(data)
    root = ElementTree.fromstring(content)  # noqa: S314 -- it declares no entities
    # The size is what the SVG asks for, else that of its view box, else a usual one.
    sides = []
    for name in ("width", "height"):
        length = re.fullmatch(r"\s*(\d{1,6}(?:\.\d*)?)\s*([a-z]*)\s*", root.attrib.get(name, ""))
        sides.append(float(length[1]) * UNITS.get(length[2], 0.0) if length else 0.0)
    box = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", root.attrib.get("viewBox", ""))]
    if not all(sides) and len(box) == 4:
        sides = [box[2] * UNITS["px"], box[3] * UNITS["px"]]
    width, height = sides if all(1 < side < 20_000 for side in sides) else (300.0, 200.0)
    return content, "svg", width, height


def _name(tag: object) -> str:
    """Return the name of an XML element or attribute without its namespace."""
    return str(tag).rpartition("}")[2]
