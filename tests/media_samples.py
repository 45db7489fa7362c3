"""Small but real media for tests: every function returns the bytes of one whole file."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence

from PIL import Image

RED = (200, 30, 30)


def exif(taken: str, offset: str = "") -> Image.Exif:
    """Say when a photo was taken: `taken` like "2012:09:16 10:11:12", `offset` like "+08:00"."""
    data = Image.Exif()
    data[0x8769] = {0x9003: taken} | ({0x9011: offset} if offset else {})
    return data


def jpeg(
    width: int = 64, height: int = 48, color: tuple[int, int, int] = RED, exif: Image.Exif | None = None
) -> bytes:
    """Make a JPEG with some detail in it."""
    return _image("JPEG", width, height, color, exif=exif or Image.Exif(), quality=85)


def png(width: int = 64, height: int = 48, color: tuple[int, int, int] = RED) -> bytes:
    """Make a PNG."""
    return _image("PNG", width, height, color)


def webp(width: int = 64, height: int = 48, color: tuple[int, int, int] = RED) -> bytes:
    """Make a lossy WebP."""
    return _image("WEBP", width, height, color)


def gif(width: int = 64, height: int = 48, frames: int = 2) -> bytes:
    """Make a GIF, moving when it has several frames."""
    images = [_picture(width, height, (40 * n % 256, 90, 160)) for n in range(frames)]
    buffer = io.BytesIO()
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:])
    return buffer.getvalue()


def image(form: str, width: int = 64, height: int = 48) -> bytes:
    """Make an image in any format that Pillow writes: "TIFF", "BMP", "AVIF"."""
    return _image(form, width, height, RED)


def _image(form: str, width: int, height: int, color: tuple[int, int, int], **options: object) -> bytes:
    buffer = io.BytesIO()
    _picture(width, height, color).save(buffer, form, **options)
    return buffer.getvalue()


def _picture(width: int, height: int, color: tuple[int, int, int]) -> Image.Image:
    picture = Image.new("RGB", (width, height), color)
    stripes = Image.linear_gradient("L").resize((width, height))
    return Image.blend(picture, Image.merge("RGB", (stripes, stripes, stripes)), 0.3)


def pdf(pages: Sequence[str], title: str = "") -> bytes:
    """Make a PDF with one page per text; lines are kept, Chinese is fine. Always the same bytes."""
    font = 3 + 2 * len(pages)
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>".encode(),
    ]
    for number, text in enumerate(pages):
        stream = _page_text(text)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 720 405] /Contents {4 + 2 * number} 0 R "
            f"/Resources << /Font << /L {font} 0 R /C {font + 1} 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    objects += _fonts(font)
    objects.append(f"<< /Title {_pdf_text(title)} >>".encode())
    return _pdf_file(objects)


def _page_text(text: str) -> bytes:
    lines = [b"BT 24 TL 40 360 Td"]
    for line in text.split("\n"):
        if line.isascii():
            escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            lines.append(b"/L 18 Tf (%s) Tj T*" % escaped.encode())
        else:
            lines.append(b"/C 18 Tf <%s> Tj T*" % line.encode("utf-16-be").hex().encode())
    return b"\n".join([*lines, b"ET"])


def _fonts(first: int) -> list[bytes]:
    """Name two fonts that every reader brings itself: Latin, and Chinese as UTF-16."""
    return [
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        f"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UTF16-H "
        f"/DescendantFonts [{first + 2} 0 R] >>".encode(),
        f"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 "
        f"/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> "
        f"/FontDescriptor {first + 3} 0 R >>".encode(),
        (
            b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 4 /FontBBox [0 -200 1000 900] "
            b"/ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>"
        ),
    ]


def _pdf_text(text: str) -> str:
    return f"<feff{text.encode('utf-16-be').hex()}>"


def _pdf_file(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    out += b"startxref\n%d\n%%%%EOF\n" % table
    return bytes(out)


def pptx(
    slides: Sequence[str], *, notes: str = "", table: Sequence[str] = (), title: str = "", author: str = ""
) -> bytes:
    """Make a deck with one slide per text: its first line is the slide's title.

    `notes` are the speaker's on the first slide, `table` the cells of a one-row table there,
    `title` and `author` the properties of the document.
    """
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation()
    for text in slides:
        head, _, rest = text.partition("\n")
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = head
        slide.placeholders[1].text = rest
    if notes:
        deck.slides[0].notes_slide.notes_text_frame.text = notes
    if table:
        shape = (
            deck.slides[0].shapes.add_table(1, len(table), Inches(1), Inches(5), Inches(8), Inches(1)).table
        )
        for column, cell in enumerate(table):
            shape.cell(0, column).text = cell
    deck.core_properties.title, deck.core_properties.author = title, author
    buffer = io.BytesIO()
    deck.save(buffer)
    return buffer.getvalue()


def archive(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Make a ZIP; a member called `mimetype` is stored without compression, as ODF and EPUB want it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as out:
        for name, data in members.items():
            how = zipfile.ZIP_STORED if name == "mimetype" else compression
            out.writestr(zipfile.ZipInfo(name), data, how)
    return buffer.getvalue()


def odp(paragraphs: Iterable[str] = ("Hello",)) -> bytes:
    """Make the least that counts as an OpenDocument presentation."""
    body = "".join(f"<text:p>{paragraph}</text:p>" for paragraph in paragraphs)
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        f'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">{body}</office:document-content>'
    )
    return archive(
        {
            "mimetype": b"application/vnd.oasis.opendocument.presentation",
            "META-INF/manifest.xml": b"<manifest/>",
            "content.xml": content.encode(),
        }
    )


def docx(paragraphs: Iterable[str] = ("Hello",)) -> bytes:
    """Make the least that counts as a Word document."""
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    text = "".join(f"<w:p><w:r><w:t>{paragraph}</w:t></w:r></w:p>" for paragraph in paragraphs)
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    override = f'<Override PartName="/word/document.xml" ContentType="{kind}"/>'
    packages = "http://schemas.openxmlformats.org/package/2006/content-types"
    return archive(
        {
            "[Content_Types].xml": f'<Types xmlns="{packages}">{override}</Types>'.encode(),
            "word/document.xml": f'<w:document xmlns:w="{space}">{text}</w:document>'.encode(),
        }
    )


def keynote() -> bytes:
    """Make the least that counts as a Keynote deck."""
    return archive({"Index/Document.iwa": b"\x00doc", "Index/Slide-1.iwa": b"\x00slide"})


def html(body: str = "<p>Hello</p>", title: str = "A page", encoding: str = "utf-8") -> bytes:
    """Make a web page that declares its encoding."""
    head = f'<head><meta charset="{encoding}"><title>{title}</title></head>'
    return f"<!DOCTYPE html><html>{head}<body>{body}</body></html>".encode(encoding)


def login_page(title: str = "Sign in – Example") -> bytes:
    """Make the page that services send instead of a file."""
    return html('<form action="/login"><input name="u"><input type="password" name="p"></form>', title)


def box(kind: bytes, *content: bytes) -> bytes:
    """Make one box of an MP4 (ISO/IEC 14496-12)."""
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def mp4(seconds: int = 2, *, faststart: bool = False, brand: bytes = b"isom") -> bytes:
    """Make a playable MP4 without sound: one JPEG picture a second, 64 by 48."""
    pictures = [jpeg(color=(40 * n % 256, 120, 200)) for n in range(seconds)]
    start = box(b"ftyp", brand, bytes(4), brand, b"mp41")
    media = box(b"mdat", *pictures)
    index = _index([len(picture) for picture in pictures], 0)
    first = len(start) + 8 + (len(index) if faststart else 0)
    index = _index([len(picture) for picture in pictures], first)
    return start + (index + media if faststart else media + index)


_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def _index(sizes: Sequence[int], first: int) -> bytes:
    count = len(sizes)
    head = box(
        b"mvhd",
        struct.pack(">5I", 0, 0, 0, 1000, 1000 * count),
        struct.pack(">IH10x", 0x10000, 0x100),
        _MATRIX,
        bytes(24),
        struct.pack(">I", 2),
    )
    track = box(
        b"tkhd",
        struct.pack(">I5I8x", 7, 0, 0, 1, 0, 1000 * count),
        bytes(8),
        _MATRIX,
        struct.pack(">II", 64 << 16, 48 << 16),
    )
    times = box(b"mdhd", struct.pack(">5IHH", 0, 0, 0, 1, count, 0x55C4, 0))
    handler = box(b"hdlr", struct.pack(">II4s12x", 0, 0, b"vide"), b"video\0")
    source = box(b"dinf", box(b"dref", struct.pack(">II", 0, 1), box(b"url ", struct.pack(">I", 1))))
    table = _sample_table(sizes, first)
    information = box(b"minf", box(b"vmhd", struct.pack(">I8x", 1)), source, table)
    return box(b"moov", head, box(b"trak", track, box(b"mdia", times, handler, information)))


def _sample_table(sizes: Sequence[int], first: int) -> bytes:
    # Object type 0x6C is JPEG (registered at mp4ra.org): every player decodes it.
    config = bytes([4, 13, 0x6C, 0x11]) + bytes(11)
    descriptor = bytes([3, 3 + len(config) + 3, 0, 1, 0]) + config + bytes([6, 1, 2])
    entry = box(
        b"mp4v",
        struct.pack(">6xH16xHHII4xH32xHh", 1, 64, 48, 0x480000, 0x480000, 1, 24, -1),
        box(b"esds", bytes(4), descriptor),
    )
    count = len(sizes)
    return box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), entry),
        box(b"stts", struct.pack(">4I", 0, 1, count, 1)),
        box(b"stsc", struct.pack(">5I", 0, 1, 1, count, 1)),
        box(b"stsz", struct.pack(">3I", 0, 0, count), struct.pack(f">{count}I", *sizes)),
        box(b"stco", struct.pack(">3I", 0, 1, first)),
    )


def fragmented_mp4(fragments: int = 2) -> bytes:
    """Make the frame of a fragmented MP4 (as DASH and live recordings have it)."""
    start = box(b"ftyp", b"iso5", bytes(4), b"dash")
    moov = box(b"moov", box(b"mvhd", bytes(100)), box(b"trak", box(b"tkhd", bytes(84))), box(b"mvex"))
    piece = box(b"moof", box(b"mfhd", bytes(8))) + box(b"mdat", bytes(500))
    return start + moov + piece * fragments


def webm(clusters: int = 2, doctype: bytes = b"webm") -> bytes:
    """Make the frame of a WebM or Matroska file (RFC 9559)."""
    head = _element(0x1A45DFA3, _element(0x4282, doctype))
    body = _element(0x1549A966, bytes(10)) + _element(0x1654AE6B, bytes(20))
    body += b"".join(_element(0x1F43B675, bytes(300)) for _ in range(clusters))
    return head + _element(0x18538067, body)


def _element(identity: int, body: bytes) -> bytes:
    name = identity.to_bytes((identity.bit_length() + 7) // 8, "big")
    return name + (len(body) | 1 << 56).to_bytes(8, "big") + body


def wav(seconds: float = 0.1) -> bytes:
    """Make a silent WAV, 8 kHz."""
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(int(seconds * 8000) * 2))
    return buffer.getvalue()


def mp3(frames: int = 5, *, tagged: bool = True) -> bytes:
    """Make an MP3 of silent frames: MPEG-1 layer III, 128 kbit/s, 44.1 kHz, 417 bytes each."""
    tag = b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(10) if tagged else b""
    return tag + (b"\xff\xfb\x90\x00" + bytes(413)) * frames


def ole(stream: str = "PowerPoint Document", sectors: int = 8) -> bytes:
    """Make the frame of an old Office file ([MS-CFB]): header, one FAT sector, one directory sector, data."""
    free, end, fat_mark = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    table = [fat_mark, end, *range(3, sectors), end]
    table += [free] * (128 - len(table))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9I", 0, 1, 1, 0, 4096, end, 0, end, 0)
    head += struct.pack("<109I", 0, *[free] * 108)
    entries = _entry("Root Entry", 5) + _entry(stream, 2) + bytes(256)
    data = bytes(512) * (sectors - 2)
    return head + struct.pack("<128I", *table) + entries + data


def _entry(name: str, kind: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    return text.ljust(64, b"\0") + struct.pack("<HB", len(text), kind) + bytes(61)
