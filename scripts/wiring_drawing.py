"""The wiring of a PDU as SVG: the mains above as one line for L and N, what is of low voltage below."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

ABOUT = (
    "Both sources lead through a breaker, past a voltage sensor and a supply, to a two-pole changeover, then through an "
    "isolator to the bus; each outlet has a fuse, a relay and a current sensor. Below, the pins of the board, the "
    "drivers of the relays, the supply, and the gateway."
)
WIRES = (
    "Each red line is L and N together. Fuses, outlet relays and current sensors are in L. Protective earth goes to "
    "every outlet and to the enclosure, unswitched."
)
WIDTH = 1240
ROW = 70
TOP = 112
LEAST_ROWS = 6
"""The sources need that much height, also beside four outlets."""

STYLE = """\
    svg { font: 14px system-ui, sans-serif; }
    .paper { fill: #ffffff; }
    .mains { fill: #fdf3ef; stroke: #c0573a; } .low { fill: #f1f6f4; stroke: #5c8f83; }
    .part { fill: #ffffff; stroke: #6d7572; stroke-width: 1.3; }
    .wire { fill: none; stroke: #b3402a; stroke-width: 2.5; } .node { fill: #b3402a; }
    .thin { fill: none; stroke: #2f7566; stroke-width: 1.8; }
    .contact { fill: none; stroke: #1c2220; stroke-width: 2; stroke-linecap: round; }
    .tag { fill: #2456a6; } .tag-text { fill: #ffffff; font-size: 12px; font-weight: 600; text-anchor: middle; }
    text { fill: #1c2220; } .mid { text-anchor: middle; }
    .small { font-size: 12px; fill: #4c5653; } .home { font-size: 16px; font-weight: 600; }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #14181a; }
      .mains { fill: #261a17; stroke: #d98468; } .low { fill: #17211f; stroke: #6fae9f; }
      .part { fill: #262d30; stroke: #7f8a8d; }
      .wire { stroke: #f0957b; } .node { fill: #f0957b; } .thin { stroke: #6cc3ae; }
      .contact { stroke: #e8ecec; }
      text { fill: #e8ecec; } .small { fill: #b4bdbe; }
      .tag { fill: #8ab4f8; } .tag-text { fill: #10151c; }
    }"""


@dataclass
class Sheet:
    """What is drawn so far.

    Attributes:
        pins: label of the board's pin by signal.
        lines: SVG elements.
    """

    pins: Mapping[str, str]
    lines: list[str] = field(default_factory=list)

    def box(self, x: int, y: int, w: int, h: int, *texts: str) -> None:
        """Draw a part; its first text is its name."""
        self.lines.append(f'<rect class="part" x="{x}" y="{y}" width="{w}" height="{h}" rx="5"/>')
        self.texts(x + w // 2, y + h // 2 - 8 * len(texts) + 13, "mid", *texts)

    def texts(self, x: int, y: int, kind: str, *texts: str) -> None:
        """Write lines below each other; all but the first are small."""
        for number, text in enumerate(texts):
            style = f"{kind} small" if number else kind
            self.lines.append(
                f'<text class="{style.strip()}" x="{x}" y="{y + 16 * number}">{escape(text)}</text>'
            )

    def path(self, kind: str, data: str) -> None:
        """Draw a line."""
        self.lines.append(f'<path class="{kind}" d="{data}"/>')

    def node(self, x: int, y: int) -> None:
        """Draw where wires are joined."""
        self.lines.append(f'<circle class="node" cx="{x}" cy="{y}" r="4"/>')

    def tag(self, x: int, y: int, signal: str) -> None:
        """Draw the pin of the board that a signal is at, around a point."""
        label = self.pins[signal]
        width = 10 + 8 * len(label)
        self.lines.append(
            f'<g data-signal="{signal}" data-pin="{label}">'
            f'<rect class="tag" x="{x - width // 2}" y="{y - 9}" width="{width}" height="18" rx="9"/>'
            f'<text class="tag-text" x="{x}" y="{y + 4}">{label}</text></g>'
        )

    def contact(self, x: int, y: int) -> None:
        """Draw an open contact, 40 wide."""
        self.path("contact", f"M{x} {y}h8l22 -11M{x + 32} {y}h8")


def draw(title: str, facts: Mapping[str, Any], pins: Mapping[str, str]) -> str:
    """Return the drawing of a board.

    Args:
        title: name of the board.
        facts: board.h, as board.json tells it.
        pins: label of the board's pin by signal.
    """
    sheet = Sheet(pins)
    outlets = int(facts["outlets"])
    bottom = TOP + ROW * max(outlets, LEAST_ROWS)
    middle = (TOP + bottom) // 2
    _sources(sheet, facts, middle)
    _switches(sheet, facts, middle)
    _outlets(sheet, facts, middle)
    low = bottom + 44
    height = low + _low_voltage(sheet, title, facts, low) + 24
    return "\n".join(
        [*_head(title, height), *_areas(facts, bottom, low, height), *_indented(sheet), "</svg>", ""]
    )


def _head(title: str, height: int) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t d">',
        f'  <title id="t">Wiring of the PDU with an {title}</title>',
        f'  <desc id="d">{ABOUT}</desc>',
        "  <style>",
        STYLE,
        "  </style>",
        f'  <rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>',
    ]


def _areas(facts: Mapping[str, Any], bottom: int, low: int, height: int) -> list[str]:
    volts = int(facts["nominal_mv"]) // 1000
    return [
        f'  <rect class="mains" x="14" y="14" width="{WIDTH - 28}" height="{bottom}" rx="8"/>',
        f'  <text class="home" x="32" y="42">Mains, {volts} V</text>',
        f'  <text class="small" x="32" y="62">{WIRES}</text>',
        f'  <rect class="low" x="14" y="{low - 20}" width="{WIDTH - 28}" height="{height - low + 8}" rx="8"/>',
    ]


def _indented(sheet: Sheet) -> list[str]:
    return [f"  {line}" for line in sheet.lines]


def _sources(sheet: Sheet, facts: Mapping[str, Any], middle: int) -> None:
    for number, source in enumerate(("main", "backup"), 1):
        y = middle - 110 if number == 1 else middle + 110
        sheet.path("wire", f"M130 {y}H350V{middle - 24 if number == 1 else middle + 24}H374")
        sheet.box(32, y - 26, 104, 52, source.upper(), "plug or terminal")
        sheet.box(
            164,
            y - 26,
            104,
            52,
            f"F{number} breaker",
            f"≤ {facts['changeover_rating_ma'] // 1000} A, 2 poles",
        )
        # Taps lie upstream of the changeover, away from the wires to it.
        tap = y - 66 if number == 1 else y + 66
        sheet.node(308, y)
        sheet.path("wire", f"M308 {y}V{tap}H262M308 {tap}H354")
        sheet.box(166, tap - 22, 102, 44, "ZMPT101B", "fuse 100 mA")
        sheet.tag(148, tap, f"{source}_voltage")
        sheet.box(346, tap - 22, 108, 44, f"supply {number}", "12 V, fuse 1 A")


def _switches(sheet: Sheet, facts: Mapping[str, Any], middle: int) -> None:
    amperes = int(facts["changeover_rating_ma"]) // 1000
    sheet.path("wire", f"M478 {middle}H700")
    sheet.box(374, middle - 46, 112, 92)
    sheet.path("contact", f"M374 {middle - 24}h26M374 {middle + 24}h26M486 {middle}h-24L404 {middle - 22}")
    sheet.texts(430, middle - 52, "mid", "K1 changeover")
    sheet.texts(430, middle + 62, "mid small", f"2 poles, ≥ {amperes} A,", "rests on MAIN")
    sheet.tag(458, middle + 30, "changeover")
    sheet.box(530, middle - 32, 104, 64)
    sheet.contact(562, middle)
    sheet.texts(582, middle - 38, "mid", "K2 isolator")
    sheet.texts(582, middle + 46, "mid small", f"2 poles, ≥ {amperes} A")
    sheet.tag(582, middle + 20, "isolator")
    sheet.node(664, middle)
    sheet.path("wire", f"M664 {middle}V{middle + 92}H634")
    sheet.box(530, middle + 70, 104, 44, "optocoupler", "bus live")
    sheet.tag(512, middle + 92, "live")


def _outlets(sheet: Sheet, facts: Mapping[str, Any], middle: int) -> None:
    outlets = int(facts["outlets"])
    first = middle - ROW * (outlets - 1) // 2
    sheet.path("wire", f"M700 {first}V{first + ROW * (outlets - 1)}")
    sheet.node(700, middle)
    for outlet in range(1, outlets + 1):
        y = first + ROW * (outlet - 1)
        sheet.path("wire", f"M700 {y}H1130")
        sheet.box(722, y - 24, 84, 48, f"F{outlet + 2} fuse", f"{facts['outlet_rating_ma'] // 1000} A")
        sheet.box(834, y - 24, 104, 48)
        sheet.contact(866, y - 6)
        sheet.texts(850, y + 17, "small", f"K{outlet + 2}")
        sheet.tag(912, y + 13, f"outlet_{outlet}")
        sheet.box(966, y - 24, 112, 48)
        sheet.texts(1022, y - 5, "mid", "ACS712-20A")
        sheet.tag(1022, y + 11, f"current_{outlet}")
        sheet.box(1106, y - 24, 106, 48, f"outlet {outlet}", "L N PE")


def _low_voltage(sheet: Sheet, title: str, facts: Mapping[str, Any], top: int) -> int:
    """Draw everything that is of low voltage, and return how high that is."""
    outlets = int(facts["outlets"])
    sheet.texts(32, top + 10, "home", "Low voltage")
    sheet.texts(
        32,
        top + 30,
        "small",
        "Not touch-safe: the current sensors isolate for basic protection alone. It stays inside.",
    )
    inputs = [
        "live",
        *(f"current_{n}" for n in range(1, outlets + 1)),
        "main_voltage",
        "backup_voltage",
        "rx",
        "tx",
    ]
    outputs = ["changeover", "isolator", *(f"outlet_{n}" for n in range(1, outlets + 1))]
    height = 74 + 24 * len(inputs)
    board = top + 52
    _board(sheet, title, board, height, (outputs, inputs))
    _supply(sheet, board)
    drivers = "ULN2803A" if len(outputs) <= 8 else "two ULN2803A"  # noqa: PLR2004 - channels of one
    sheet.path("thin", f"M880 {board + 60}H820M880 {board + 184}H820")
    sheet.box(
        880,
        board + 20,
        330,
        80,
        f"{drivers}, for the coils",
        "each input 10 kΩ to ground: off in reset",
        "COM to 12 V",
    )
    sheet.box(880, board + 144, 150, 80, "level shifter", "5 V to 3.3 V", "both directions")
    sheet.path("thin", f"M1030 {board + 184}H1060")
    sheet.box(1060, board + 144, 150, 80, "NodeMCU", "TX, RX", "its own 5 V pin")
    return 52 + max(height, 270)


def _board(sheet: Sheet, title: str, y: int, height: int, columns: tuple[list[str], list[str]]) -> None:
    sheet.lines.append(f'<rect class="part" x="400" y="{y}" width="420" height="{height}" rx="5"/>')
    sheet.texts(610, y + 26, "mid", title)
    sheet.texts(424, y + 50, "small", "high: coil has current")
    sheet.texts(634, y + 50, "small", "inputs and serial line")
    for x, signals in zip((440, 650), columns, strict=True):
        for row, signal in enumerate(signals):
            sheet.tag(x, y + 70 + 24 * row, signal)
            sheet.texts(x + 30, y + 75 + 24 * row, "", signal.replace("_", " "))


def _supply(sheet: Sheet, y: int) -> None:
    sheet.path("thin", f"M172 {y + 30}H200V{y + 60}M172 {y + 90}H200V{y + 60}H232M290 {y + 92}V{y + 130}")
    sheet.path("thin", f"M290 {y + 182}V{y + 206}M348 {y + 232}H400")
    sheet.box(32, y + 8, 140, 44, "supply 1, 12 V", "Schottky diode")
    sheet.box(32, y + 68, 140, 44, "supply 2, 12 V", "Schottky diode")
    sheet.box(232, y + 28, 140, 64, "12 V rail", "coils of K1, K2, …", "and the ULN2803A")
    sheet.box(232, y + 130, 116, 52, "22 mF, 16 V", "behind a diode")
    sheet.box(232, y + 206, 116, 52, "5 V, 2 A", "step-down")
    sheet.texts(
        32,
        y + 212,
        "",
        "5 V goes to",
        "the board's 5V pin,",
        "all sensors, the NodeMCU;",
        "GND is common to all",
    )
