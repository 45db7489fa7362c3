"""Draw the photos: scenes of a meetup, each different, with the EXIF data of a camera."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageDraw, ImageFilter

from demo_media.style import Colour, blend

WIDTH, HEIGHT = 960, 640


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo: where the file goes, what it shows, and what its camera wrote.

    `taken` is "YYYY:MM:DD HH:MM:SS" as EXIF writes it, or empty; `place` is latitude and longitude
    of the city's centre in degrees.
    """

    path: str
    scene: str
    seed: int
    hue: Colour
    camera: str
    taken: str = ""
    place: tuple[float, float] | None = None


BJ, SZ, SH = (39.90, 116.40), (22.54, 114.06), (31.23, 121.47)
COMPACT, PHONE, REFLEX = "Lumen C200", "Kestrel 4", "Aperta D90"
PHOTOS = (
    Photo(
        "incoming/beijing/photos/IMG_0412.jpg", "skyline", 1, (200, 96, 60), REFLEX, "2012:09:16 08:21:40", BJ
    ),
    Photo(
        "incoming/beijing/photos/IMG_0418.jpg", "hall", 2, (150, 60, 54), REFLEX, "2012:09:16 08:52:03", BJ
    ),
    Photo("flickr/beijing-IMG_0437.jpg", "speaker", 3, (150, 60, 54), REFLEX, "2012:09:16 10:14:27"),
    Photo("flickr/beijing-IMG_0466.jpg", "audience", 4, (150, 60, 54), REFLEX, "2012:09:16 14:40:11"),
    Photo(
        "incoming/shenzhen/photos/3Wcoffee-1.jpg",
        "audience",
        5,
        (38, 120, 150),
        PHONE,
        "2012:09:22 13:35:09",
        SZ,
    ),
    Photo(
        "incoming/shenzhen/photos/3Wcoffee-2.jpg", "speaker", 6, (38, 120, 150), PHONE, "2012:09:22 15:02:55"
    ),
    Photo(
        "incoming/shenzhen/photos/3Wcoffee-3.jpg",
        "skyline",
        7,
        (44, 110, 170),
        PHONE,
        "2012:09:22 18:20:30",
        SZ,
    ),
    Photo("incoming/chengdu/photos/e Coffee 天府软件园.jpg", "hall", 8, (70, 130, 84), COMPACT),
    Photo("incoming/chengdu/photos/讲座现场.jpg", "speaker", 9, (70, 130, 84), COMPACT),
    Photo(
        "incoming/wuhan/photos/DSC01877.jpg", "audience", 10, (120, 86, 150), COMPACT, "2012:12:22 10:05:44"
    ),
    Photo(
        "incoming/wuhan/photos/DSC01902.jpg", "skyline", 11, (110, 90, 160), COMPACT, "2012:12:22 17:12:08"
    ),
    Photo("flickr/osac-beijing-opening.jpg", "hall", 12, (70, 76, 110), REFLEX, "2012:08:10 09:01:15", BJ),
    Photo("flickr/osac-beijing-audience.jpg", "audience", 13, (70, 76, 110), REFLEX, "2012:08:10 11:20:39"),
    Photo("flickr/osac-shanghai-night.jpg", "skyline", 14, (60, 70, 150), REFLEX, "2012:08:11 18:44:02", SH),
)


def jpeg(photo: Photo) -> bytes:
    """Draw one photo and encode it."""
    chance = random.Random(photo.seed)  # noqa: S311  # the same picture every time
    image = Image.new("RGB", (WIDTH, HEIGHT))
    _SCENES[photo.scene](image, chance, photo.hue)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80, optimize=True, progressive=True, exif=_exif(photo))
    return buffer.getvalue()


def _exif(photo: Photo) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = photo.camera.split()
    exif[ExifTags.Base.ImageDescription] = "Drawn stand-in for the demo of the archiver"
    exif[ExifTags.Base.Orientation] = 1
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.ISOSpeedRatings] = 400
    details[ExifTags.Base.FocalLength] = 35.0
    if photo.taken:
        exif[ExifTags.Base.DateTime] = photo.taken
        details[ExifTags.Base.DateTimeOriginal] = photo.taken
        details[ExifTags.Base.OffsetTimeOriginal] = "+08:00"
    if photo.place:
        _locate(exif, *photo.place)
    return exif


def _locate(exif: Image.Exif, latitude: float, longitude: float) -> None:
    position = exif.get_ifd(ExifTags.IFD.GPSInfo)
    position[ExifTags.GPS.GPSLatitudeRef], position[ExifTags.GPS.GPSLongitudeRef] = "N", "E"
    position[ExifTags.GPS.GPSLatitude] = _degrees(latitude)
    position[ExifTags.GPS.GPSLongitude] = _degrees(longitude)


def _degrees(value: float) -> tuple[float, float, float]:
    minutes = round((value % 1) * 60, 2)
    return (float(int(value)), float(int(minutes)), round((minutes % 1) * 60, 1))


def _gradient(image: Image.Image, top: Colour, bottom: Colour, start: int = 0, end: int = HEIGHT) -> None:
    draw = ImageDraw.Draw(image)
    for y in range(start, end):
        draw.line((0, y, WIDTH, y), fill=blend(top, bottom, (y - start) / max(1, end - start)))


def _glow(image: Image.Image, box: tuple[int, int, int, int], colour: Colour, strength: int) -> None:
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).ellipse(box, fill=strength)
    image.paste(colour, mask=mask.filter(ImageFilter.GaussianBlur(60)))


def _skyline(image: Image.Image, chance: random.Random, hue: Colour) -> None:
    _gradient(image, blend(hue, (20, 24, 60), 0.7), blend(hue, (255, 214, 170), 0.75), end=470)
    sun = chance.randrange(180, 780)
    _glow(image, (sun - 110, 260, sun + 110, 480), (255, 238, 200), 220)
    for depth, base in enumerate((430, 455, 480)):
        colour = blend(hue, (18, 20, 38), 0.45 + depth * 0.22)
        _towers(image, chance, colour, base, lit=depth == 2)
    _gradient(image, blend(hue, (16, 20, 40), 0.75), blend(hue, (70, 80, 110), 0.4), start=480)
    water = image.crop((0, 340, WIDTH, 480)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    water = water.resize((WIDTH, 160)).filter(ImageFilter.GaussianBlur(5))
    image.paste(Image.blend(image.crop((0, 480, WIDTH, HEIGHT)), water, 0.45), (0, 480))


def _towers(image: Image.Image, chance: random.Random, colour: Colour, base: int, *, lit: bool) -> None:
    draw = ImageDraw.Draw(image)
    x = -20
    while x < WIDTH:
        width = chance.randrange(36, 92)
        top = base - chance.randrange(40, 270)
        draw.rectangle((x, top, x + width, base), fill=colour)
        if chance.random() < 0.3:
            draw.polygon((x + 8, top, x + width // 2, top - 46, x + width - 8, top), fill=colour)
        if lit:
            _windows(draw, chance, (x, top, x + width, base))
        x += width + chance.randrange(0, 26)


def _windows(draw: ImageDraw.ImageDraw, chance: random.Random, box: tuple[int, int, int, int]) -> None:
    for y in range(box[1] + 12, box[3] - 8, 16):
        for x in range(box[0] + 8, box[2] - 8, 13):
            if chance.random() < 0.42:
                draw.rectangle((x, y, x + 5, y + 7), fill=(255, 224, 150))


def _room(image: Image.Image, hue: Colour) -> None:
    """Paint a room seen from the back: ceiling, side walls, floor, and light from the front."""
    _gradient(image, blend(hue, (40, 36, 36), 0.6), blend(hue, (228, 214, 196), 0.55), end=420)
    _gradient(image, blend(hue, (120, 92, 70), 0.6), blend(hue, (54, 42, 36), 0.75), start=420)
    draw = ImageDraw.Draw(image)
    side = blend(hue, (200, 184, 168), 0.35)
    draw.polygon((0, 0, 170, 90, 170, 420, 0, 600), fill=blend(side, (0, 0, 0), 0.18))
    draw.polygon((WIDTH, 0, 790, 90, 790, 420, WIDTH, 600), fill=blend(side, (0, 0, 0), 0.28))
    for x in range(260, 760, 110):
        draw.ellipse((x, 24, x + 34, 38), fill=(255, 244, 214))


def _screen(image: Image.Image, box: tuple[int, int, int, int], hue: Colour, chance: random.Random) -> None:
    _glow(image, (box[0] - 60, box[1] - 50, box[2] + 60, box[3] + 60), (255, 255, 255), 110)
    draw = ImageDraw.Draw(image)
    draw.rectangle((box[0] - 6, box[1] - 6, box[2] + 6, box[3] + 6), fill=(40, 40, 44))
    draw.rectangle(box, fill=(250, 250, 248))
    draw.rectangle((box[0] + 18, box[1] + 18, box[0] + (box[2] - box[0]) // 2, box[1] + 32), fill=hue)
    for row in range(4):
        y = box[1] + 54 + row * 24
        if y < box[3] - 14:
            end = chance.randrange((box[0] + box[2]) // 2, box[2] - 18)
            draw.rectangle((box[0] + 18, y, end, y + 8), fill=blend(hue, (210, 210, 214), 0.7))


def _person(draw: ImageDraw.ImageDraw, x: int, y: int, size: int, coat: Colour, hair: Colour) -> None:
    """Draw head and shoulders from behind; `x`, `y` is the middle of the head."""
    draw.rounded_rectangle((x - size * 1.5, y + size * 0.9, x + size * 1.5, y + size * 5), size, fill=coat)
    draw.rectangle((x - size * 0.4, y + size * 0.5, x + size * 0.4, y + size * 1.2), fill=(196, 150, 122))
    draw.ellipse((x - size * 0.86, y - size, x + size * 0.86, y + size), fill=hair)


def _crowd(image: Image.Image, chance: random.Random, hue: Colour, rows: range) -> None:
    draw = ImageDraw.Draw(image)
    for row in rows:
        size, y = 13 + row * 6, 390 + row * 52
        for x in range(-10 + (row % 2) * size * 2, WIDTH + 40, size * 4):
            place = x + chance.randrange(-size // 2, size // 2 + 1)
            coats = [hue, (62, 70, 88), (146, 148, 156), (90, 60, 56), (206, 200, 190), (44, 84, 76)]
            coat = blend(chance.choice(coats), (10, 10, 14), 0.25 + row * 0.06)
            hair = blend((30, 24, 22), (70, 56, 48), chance.random())
            _person(draw, place, y + chance.randrange(-6, 7), size, coat, hair)


def _hall(image: Image.Image, chance: random.Random, hue: Colour) -> None:
    _room(image, hue)
    _screen(image, (340, 130, 620, 300), hue, chance)
    draw = ImageDraw.Draw(image)
    for row in range(6):
        y, width = 400 + row * 38, 34 + row * 13
        count = 9
        for seat in range(count):
            if seat == count // 2:
                continue  # the aisle
            x = WIDTH // 2 + (seat - count // 2) * (width + 10 + row * 2) - width // 2
            colour = blend(hue, (30, 26, 30), 0.25 + row * 0.07)
            draw.rounded_rectangle((x, y, x + width, y + 28 + row * 7), 7, fill=colour)
            draw.line(
                (x + 4, y + 4, x + width - 4, y + 4), fill=blend(colour, (255, 255, 255), 0.25), width=2
            )


def _audience(image: Image.Image, chance: random.Random, hue: Colour) -> None:
    _room(image, hue)
    _screen(image, (300, 90, 660, 300), hue, chance)
    _crowd(image, chance, hue, range(5))


def _speaker(image: Image.Image, chance: random.Random, hue: Colour) -> None:
    _room(image, hue)
    _screen(image, (420, 70, 850, 330), hue, chance)
    draw = ImageDraw.Draw(image)
    skin, hair, coat = (222, 178, 148), (34, 28, 26), blend(hue, (20, 24, 36), 0.55)
    x = 270 + chance.randrange(-30, 31)
    draw.rounded_rectangle((x - 62, 250, x + 62, 470), 34, fill=coat)
    draw.polygon((x - 16, 250, x + 16, 250, x, 292), fill=(240, 240, 236))
    draw.rectangle((x - 13, 226, x + 13, 256), fill=blend(skin, (0, 0, 0), 0.12))
    draw.ellipse((x - 36, 146, x + 36, 238), fill=skin)
    draw.pieslice((x - 39, 138, x + 39, 220), 180, 360, fill=hair)
    hand = (x + 150, 236 + chance.randrange(-16, 17))
    draw.line((x + 50, 280, x + 104, 312, *hand), fill=coat, width=30, joint="curve")
    draw.ellipse((hand[0] - 14, hand[1] - 14, hand[0] + 16, hand[1] + 16), fill=skin)
    wood = blend((132, 92, 58), hue, 0.15)
    draw.polygon((x - 110, 380, x + 80, 380, x + 64, 600, x - 94, 600), fill=wood)
    draw.rectangle((x - 118, 368, x + 88, 386), fill=blend(wood, (255, 255, 255), 0.2))
    draw.line((x + 20, 370, x + 8, 318), fill=(40, 40, 44), width=4)
    draw.ellipse((x, 306, x + 16, 324), fill=(40, 40, 44))
    _crowd(image, chance, hue, range(3, 5))


_SCENES: dict[str, Callable[[Image.Image, random.Random, Colour], None]] = {
    "skyline": _skyline,
    "hall": _hall,
    "audience": _audience,
    "speaker": _speaker,
}
