"""Pictures of a notebook: decoded here, measured, and written where the typesetter can read them.

Every raster picture is decoded to its last pixel before it goes on; what is large or odd is written anew.
A vector picture keeps neither scripts nor links to anything outside of it.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from PIL import Image

MAX_BYTES, MAX_VECTOR_BYTES, MAX_PIXELS, MAX_SIDE = 40 << 20, 8 << 20, 50_000_000, 2400
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
KINDS = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
POINTS_PER_PIXEL = 0.58
UNITS = {"": 0.75, "px": 0.75, "pt": 1.0, "in": 72.0, "cm": 28.35, "mm": 2.835, "pc": 12.0, "em": 12.0}
INNER_LINK = re.compile(r"#|data:image/(?:png|jpeg|jpg|gif|webp);base64,")
ACTIVE = ("script", "foreignObject", "handler", "iframe")
DATA_ADDRESS = re.compile(r"data:(image/[a-z+]+)(?:;[\w=-]+)*?(;base64)?,(.*)", re.S | re.I)


class PictureUnreadableError(Exception):
    """No picture can be made of the data; the message says why, to stand in its place."""


@dataclass(frozen=True)
class Picture:
    """A picture that can be set: its file, relative to the folder, and its natural size in points."""

    file: str
    width: float
    height: float


@dataclass
class Pictures:
    """The pictures of one document, in `folder`/pictures."""

    folder: Path
    known: dict[bytes, Picture] = field(default_factory=dict)

    def add(self, data: bytes, kind: str = "") -> Picture:
        """Return the picture that `data` is; raise PictureUnreadableError."""
        if len(data) > MAX_BYTES:
            raise PictureUnreadableError(f"a picture of {len(data) >> 20} MB is left out")
        if data not in self.known:
            vector = kind == "image/svg+xml" or data.lstrip()[:5] in (b"<?xml", b"<svg ", b"<!DOC")
            self.known[data] = self._vector(data) if vector else self._raster(data)
        return self.known[data]

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

    def _raster(self, data: bytes) -> Picture:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                    width, height = image.size
                    if width * height > MAX_PIXELS:
                        raise PictureUnreadableError(f"a picture of {width} x {height} pixels is left out")
                    image.load()
                    form, content = _written(image, data)
        except PictureUnreadableError:
            raise
        except Exception as error:  # a decoder raises whatever the data makes it trip over
            raise PictureUnreadableError("a damaged picture is left out") from error
        return self._kept(content, form.lower(), width * POINTS_PER_PIXEL, height * POINTS_PER_PIXEL)

    def _vector(self, data: bytes) -> Picture:
        if len(data) > MAX_VECTOR_BYTES or b"<!ENTITY" in data:
            raise PictureUnreadableError("a vector picture that is very large or unusual is left out")
        try:
            root = ElementTree.fromstring(data)  # noqa: S314 -- it declares no entities, see above
            if _name(root.tag) != "svg":
                raise PictureUnreadableError("a damaged picture is left out")
            _disarm(root)
            content = ElementTree.tostring(root)
        except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
            raise PictureUnreadableError("a damaged picture is left out") from error
        return self._kept(content, "svg", *_size(root.attrib))

    def _kept(self, content: bytes, form: str, width: float, height: float) -> Picture:
        file = f"pictures/{len(self.known)}.{form}"
        path = self.folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return Picture(file, width, height)


def _written(image: Image.Image, data: bytes) -> tuple[str, bytes]:
    """Return the format and bytes to set: the data itself, unless it is large or of an unusual kind."""
    form = "jpeg" if image.format == "JPEG" else "png"
    usual = image.format in ("PNG", "JPEG") and image.mode in ("1", "L", "LA", "RGB", "RGBA", "P")
    if usual and max(image.size) <= MAX_SIDE:
        return form, data
    small = image.convert("RGB" if form == "jpeg" else "RGBA")
    small.thumbnail((MAX_SIDE, MAX_SIDE))
    target = io.BytesIO()
    small.save(target, form)
    return form, target.getvalue()


def _name(tag: object) -> str:
    """Return the name of an XML element or attribute without its namespace."""
    return str(tag).rpartition("}")[2]


def _disarm(root: ElementTree.Element) -> None:
    """Take out of an SVG what runs, and every link to anything outside of it."""
    for element in root.iter():
        for child in [child for child in element if _name(child.tag) in ACTIVE]:
            element.remove(child)
        for key in [key for key in element.attrib if _name(key) in ("href", "src")]:
            if not INNER_LINK.match(element.attrib[key].strip()):
                del element.attrib[key]


def _size(attributes: Mapping[str, str]) -> tuple[float, float]:
    """Return the width and height in points that an SVG asks for."""
    width, height = (_length(attributes.get(name, "")) for name in ("width", "height"))
    box = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", attributes.get("viewBox", ""))]
    if not (width and height) and len(box) == 4:
        width, height = box[2] * 0.75, box[3] * 0.75
    return (width, height) if 1 < width < 20_000 and 1 < height < 20_000 else (300.0, 200.0)


def _length(text: str) -> float:
    found = re.fullmatch(r"\s*(\d{1,6}(?:\.\d*)?)\s*([a-z]*)\s*", text)
    return float(found[1]) * UNITS.get(found[2], 0.0) if found else 0.0
