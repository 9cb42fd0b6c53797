"""Draws a photograph of a lesion: pigments that absorb light, then the camera's doings.

Colour follows absorption: a pixel is exp(-density), where melanin, blood and deep (blue) pigment
each add their density in red, green and blue. So they mix as they do in skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from featkit.data._canvas import Canvas, Field, ramp
from featkit.data._lesion import Lesion, generator

__all__ = ["draw_photograph"]


def _colour(red: float, green: float, blue: float) -> NDArray[np.float32]:
    return np.array([red, green, blue], dtype=np.float32).reshape(3, 1, 1)


_MELANIN = _colour(0.60, 1.00, 1.50)
_BLOOD = _colour(0.10, 1.00, 0.85)
_DEEP = _colour(1.15, 0.80, 0.45)
_YELLOW = _colour(0.05, 0.22, 0.75)
_PALE = _colour(0.97, 0.90, 0.87)
_SCALE = _colour(0.98, 0.94, 0.84)
_HAIR = _colour(0.17, 0.12, 0.10)

_Levels = dict[str, float]
_Image = NDArray[np.float32]


@dataclass
class _Skin:
    """Densities of the pigments, and how much a white layer covers, at every pixel."""

    melanin: Field
    blood: Field
    deep: Field
    yellow: Field
    pale: Field
    scale: Field

    def colours(self) -> _Image:
        """Return the reflected light, shape (3, size, size), 0 to 1."""
        density = self.melanin * _MELANIN + self.blood * _BLOOD
        density += self.deep * _DEEP
        density += self.yellow * _YELLOW
        light: _Image = np.exp(-density)
        light += self.pale * (_PALE - light)
        light += self.scale * (_SCALE - light)
        return light


def draw_photograph(lesion: Lesion, size: int, *key: object) -> Image.Image:
    """Return one photograph of the lesion.

    Args:
        lesion: What is photographed.
        size: The side in pixels.
        *key: Decides position, turn, zoom, light, focus, noise and what else lies on the skin.

    Returns:
        An RGB image, size × size.
    """
    rng = generator("photograph", *key)
    level = lesion.levels()
    canvas = Canvas(
        size,
        zoom=float(np.exp(rng.normal(0, 0.10))),
        turn=rng.uniform(-np.pi, np.pi),
        shift=(rng.normal(0, 0.07), rng.normal(0, 0.07)),
        rng=np.random.Generator(np.random.PCG64(lesion.seed)),
    )
    skin = _bare_skin(canvas, level)
    _add_lesion(skin, canvas, level)
    light = skin.colours()
    _add_hairs(light, canvas, level)
    light = _expose(light, level, rng)
    _add_objects(light, rng)
    light += rng.normal(0, rng.uniform(0.004, 0.018)) * rng.standard_normal(
        light.shape, dtype=np.float32
    )
    pixels = (np.clip(light, 0, 1) * 255 + 0.5).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def _bare_skin(canvas: Canvas, level: _Levels) -> _Skin:
    texture = canvas.noise(0.045)
    mottle = canvas.noise(0.35)
    freckles = ramp(canvas.noise(0.16), 1.25, 2.1) * level["mottling"] ** 2
    tan = 0.05 + 0.30 * level["tan"] ** 2
    flush = 0.10 + 0.26 * level["flush"]
    uneven = 0.05 + 0.22 * level["mottling"]
    zero = np.zeros_like(texture)
    return _Skin(
        melanin=tan * (1 + 0.12 * texture + uneven * mottle) + 0.35 * freckles,
        blood=flush * (1 + 0.07 * texture - uneven * mottle),
        deep=zero.copy(),
        yellow=zero.copy(),
        pale=zero.copy(),
        scale=zero,
    )


def _add_lesion(skin: _Skin, canvas: Canvas, level: _Levels) -> None:
    inside, depth = _outline(canvas, level)
    core = 1 - level["pale centre"] ** 1.5 * ramp(depth, 0.25, 0.85)
    blotches = canvas.noise(0.30)
    x, _ = canvas.xy
    body = inside * core
    body *= np.exp(0.75 * level["variegation"] * blotches)
    body *= 1 + 0.9 * level["asymmetry"] * np.tanh(2.2 * x)
    network, globules = _reticulum(canvas), ramp(canvas.noise(0.13), 0.55, 1.15)
    amount = 0.22 * 9.0 ** level["melanin"]
    structure = 1 + 1.2 * level["network"] * (network - 0.45) + 1.1 * level["globules"] * globules
    skin.melanin += amount * body * structure
    veil = ramp(canvas.noise(0.34) + 0.3 * blotches, -0.2, 0.8)
    skin.deep += 1.15 * level["blueness"] ** 2 * body * veil
    lacunae = 0.55 + 0.45 * globules
    skin.blood += 1.25 * level["redness"] ** 2 * inside * lacunae
    skin.blood += 1.5 * level["vessels"] ** 1.5 * inside * _vessels(canvas)
    skin.pale += 0.55 * level["pale centre"] ** 1.5 * inside * ramp(depth, 0.25, 0.9)
    _add_keratin(skin, canvas, inside, level)


def _outline(canvas: Canvas, level: _Levels) -> tuple[Field, Field]:
    """Return how far a pixel belongs to the lesion (0 to 1), and its depth: 1 in the centre."""
    radius = 0.24 + 0.36 * level["size"]
    stretch = np.sqrt(1 + 1.1 * level["elongation"])
    bend = radius * (0.06 + 0.32 * level["jaggedness"] ** 1.3)
    fray = radius * (0.02 + 0.16 * level["jaggedness"])
    x, y = canvas.xy
    x = x / stretch + bend * canvas.noise(0.34)
    y = y * stretch + bend * canvas.noise(0.34)
    depth = 1 - np.hypot(x, y) / radius + fray / radius * canvas.noise(0.10)
    width = 0.06 + 0.60 * level["softness"]
    return ramp(depth, -width / 2, width / 2), depth


def _reticulum(canvas: Canvas) -> Field:
    """Return the pigment network: thin dark lines around pale holes, 0 to 1."""
    lines: Field = np.exp(-np.square(canvas.noise(0.11) / 0.38))
    return lines


def _vessels(canvas: Canvas) -> Field:
    """Return branching lines, 0 to 1: the zero lines of two noises, one coarse and one fine."""
    coarse, fine = canvas.noise(0.26), canvas.noise(0.15)
    trunk = np.exp(-np.square(coarse / 0.12))
    twigs = np.exp(-np.square(fine / 0.16)) * np.exp(-np.square(coarse / 0.45))
    branches: Field = np.maximum(trunk, 0.8 * twigs)
    return branches


def _add_keratin(skin: _Skin, canvas: Canvas, inside: Field, level: _Levels) -> None:
    patches = canvas.noise(0.22)
    grains = canvas.noise(0.07)
    flakes = ramp(patches + 0.8 * grains, 0.35, 1.7)
    skin.scale += 0.85 * level["scale"] ** 2 * inside * flakes
    skin.blood += 0.5 * level["scale"] ** 2 * inside * ramp(-patches, 0.2, 1.0)
    cysts = ramp(canvas.noise(0.10), 1.0, 1.7)
    skin.yellow += 1.1 * level["keratin"] ** 1.5 * inside
    skin.scale += 0.75 * level["keratin"] ** 1.5 * inside * cysts


def _add_hairs(light: _Image, canvas: Canvas, level: _Levels) -> None:
    rng = canvas.rng
    count = int(26 * max(level["hair"] - 0.45, 0) ** 1.5 / 0.55**1.5)
    if not count:
        return
    direction = rng.uniform(0, np.pi)
    start = rng.uniform(-1.7, 1.7, (count, 2))
    angle = direction + rng.normal(0, 0.35, count)
    bend = rng.normal(0, 0.25, count)
    along = np.linspace(0, 1, 9)
    turning = angle[:, None] + bend[:, None] * along
    step = rng.uniform(0.6, 1.6, count)[:, None] / 8
    heading = np.stack([np.cos(turning), np.sin(turning)], axis=-1) * step[..., None]
    paths = canvas.pixels(start[:, None] + np.cumsum(heading, axis=1))
    mask = Image.new("L", (canvas.size * 2, canvas.size * 2))
    pen = ImageDraw.Draw(mask)
    width = max(1, round(canvas.size * canvas.zoom * 0.018))
    for path in paths:
        pen.line([(x * 2, y * 2) for x, y in path], fill=230, width=width)
    cover = np.asarray(mask.reduce(2), dtype=np.float32) / 255
    light += cover * (_HAIR - light)


def _expose(light: _Image, level: _Levels, rng: np.random.Generator) -> _Image:
    """Return what the camera makes of the light: focus, colour cast, gradient and vignette."""
    size = light.shape[-1]
    sigma = size / 96 * rng.uniform(0.25, 0.85)
    light = gaussian_filter(light, (0, sigma, sigma), truncate=2.5)
    warmth = 0.10 * (level["warmth"] - 0.5) + rng.normal(0, 0.015)
    cast = np.exp(np.array([warmth, rng.normal(0, 0.012), -warmth]) + rng.normal(0.03, 0.05))
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    slope = rng.normal(0, 0.035, 2)
    shade = 1 + slope[0] * axis[None, :] + slope[1] * axis[:, None]
    radius = np.hypot(axis[None, :], axis[:, None])
    shade -= 0.22 * level["vignette"] * np.square(radius) / 2
    if level["vignette"] > 0.75:
        edge = 1.36 - 0.9 * (level["vignette"] - 0.75) + rng.normal(0, 0.02)
        shade *= 1 - 0.93 * ramp(radius.astype(np.float32), edge - 0.06, edge + 0.06)
    exposed: _Image = light * cast.astype(np.float32).reshape(3, 1, 1) * shade.astype(np.float32)
    return exposed


def _add_objects(light: _Image, rng: np.random.Generator) -> None:
    """Lay a ruler or gel bubbles over some photographs."""
    kind = rng.uniform()
    size = light.shape[-1]
    if kind < 0.06:
        gap, width = max(2, size // 16), max(1, size // 96)
        long = rng.integers(0, 5)
        for number, left in enumerate(range(gap // 2, size - width, gap)):
            height = size // 14 if (number + long) % 5 == 0 else size // 24
            light[:, -height:, left : left + width] *= 0.25
    elif kind < 0.16:
        axis = np.arange(size, dtype=np.float32)
        for _ in range(rng.integers(2, 7)):
            row, column = rng.uniform(0, size, 2)
            radius = size * rng.uniform(0.015, 0.05)
            distance = np.hypot(axis[:, None] - row, axis[None, :] - column) / radius
            ring = np.exp(-np.square((distance - 1) / 0.25))
            light += 0.20 * (ring + 0.25 * (distance < 1)).astype(np.float32)
