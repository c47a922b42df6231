"""The wiring between an Arduino and a NodeMCU as SVG: the serial line through a level shifter, and the supply."""

import re
from pathlib import Path

from wiring_drawing import STYLE, Sheet

BOARD = Path(__file__).resolve().parent.parent / "firmware" / "nodemcu" / "board"
WIDTH, HEIGHT = 900, 430
ABOUT = (
    "TX of the Arduino goes through a level shifter to RX of the NodeMCU, TX of the NodeMCU through the same shifter to "
    "RX of the Arduino. The 5 volt supply feeds both and the high side; the NodeMCU's 3.3 volts feed the low side."
)
ROWS = {"line_to_gateway": 130, "line_to_unit": 180, "supply": 240, "low_side": 290, "ground": 340}
"""Height of each wire in the drawing."""


def constant(module: str, name: str) -> int:
    """Return a number that a module of the board begins a line with, alone or in a tuple.

    Raises:
        ValueError: it has none of that name.
    """
    text = (BOARD / f"{module}.py").read_text(encoding="utf-8")
    for names, values in re.findall(r"^([A-Z_, ]+) = ([\d, ]+?)(?:  #.*)?$", text, re.MULTILINE):
        found = dict(zip(names.split(", "), values.split(", "), strict=True))
        if name in found:
            return int(found[name])
    raise ValueError(f"{module}.py has no number {name}")


def draw_gateway() -> str:
    """Return the drawing.

    Raises:
        ValueError: a pin is not where this looks for it.
    """
    button, lamp, baud = (
        constant("loader", "BUTTON"),
        constant("loader", "LAMP"),
        constant("unit_line", "BAUD"),
    )
    sheet = Sheet({})
    _parts(sheet)
    _wires(sheet)
    _notes(sheet, button, lamp, baud)
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d">',
        '  <title id="t">Wiring of the gateway to the Arduino</title>',
        f'  <desc id="d">{ABOUT}</desc>',
        "  <style>",
        STYLE,
        "  </style>",
        f'  <rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        f'  <rect class="low" x="14" y="14" width="{WIDTH - 28}" height="{HEIGHT - 28}" rx="8"/>',
        '  <text class="home" x="32" y="42">Gateway, low voltage</text>',
    ]
    return "\n".join([*head, *(f"  {line}" for line in sheet.lines), "</svg>", ""])


def _parts(sheet: Sheet) -> None:
    for x, title, labels, side in (
        (40, "Arduino", ("D1 TX", "D0 RX", "5V", "", "GND"), 1),
        (340, "level shifter, BSS138", ("HV1", "HV2", "HV", "", "GND"), -1),
        (640, "NodeMCU, ESP8266", ("RX GPIO3", "TX GPIO1", "VIN 5 V", "3V3", "GND"), -1),
    ):
        sheet.lines.append(f'<rect class="part" x="{x}" y="76" width="220" height="290" rx="5"/>')
        sheet.texts(x + 110, 102, "mid", title)
        _labels(sheet, x, labels, side)
    _labels(sheet, 340, ("LV1", "LV2", "", "LV", ""), 1)


def _labels(sheet: Sheet, x: int, labels: tuple[str, ...], side: int) -> None:
    for y, label in zip(ROWS.values(), labels, strict=True):
        if label:
            place = (
                f'x="{x + 208}" y="{y + 5}" text-anchor="end"' if side > 0 else f'x="{x + 12}" y="{y + 5}"'
            )
            sheet.lines.append(f"<text {place}>{label}</text>")


def _wires(sheet: Sheet) -> None:
    for name in ("line_to_gateway", "line_to_unit", "ground"):
        y = ROWS[name]
        sheet.path("thin", f"M260 {y}H340M560 {y}H640" if name != "ground" else f"M260 {y}H340")
    sheet.path("thin", f"M300 {ROWS['ground']}V386H600V{ROWS['ground']}H640")
    sheet.path("thin", f"M560 {ROWS['low_side']}H640")
    sheet.path("wire", f"M260 {ROWS['supply']}H340M300 {ROWS['supply']}V60H600V{ROWS['supply']}H640")
    sheet.node(300, ROWS["supply"])
    for y, towards in ((ROWS["line_to_gateway"], 1), (ROWS["line_to_unit"], -1)):
        for x in (300, 600):
            sheet.path("thin", f"M{x - 5 * towards} {y - 5}L{x + 3 * towards} {y}L{x - 5 * towards} {y + 5}")


def _notes(sheet: Sheet, button: int, lamp: int, baud: int) -> None:
    sheet.texts(
        32, 406, "small", f"Serial line: {baud:,} baud, 8N1. Red: 5 V. Green: signals, 3.3 V, ground."
    )
    sheet.texts(650, 386, "small", f"lamp: GPIO{lamp}, low is lit")
    sheet.texts(650, 404, "small", f"button FLASH: GPIO{button}")
