"""What the energy counters may have been told to be, over a loss of supply of UNO and gateway at once (MQTT-21).

The UNO writes its counters down each 300 s (SER-44): after a cut it would go on from less than the control center was
told, which would take it for a reset to 0. So a ceiling is kept in flash, a minute of power ahead of what is told;
after a cut the counters go on from there. Runs under MicroPython and CPython.
"""

import os
import struct
from binascii import crc32

AHEAD_S = 64  # one write to flash in that time
AHEAD_MIN_MWH = 1000  # a load that has just begun is soon past its ceiling
HEAD = "<IHB"  # number of the write, session of the UNO, outlets
CHECK = "<I"


class Meters:
    """The ceilings of all outlets, in two files that are written in turn: one that is cut leaves the other.

    Args:
        folder: where they are.

    Attributes:
        session: that of the UNO whose counters they are of, None where there are none.
        ceilings: of each outlet in mWh.
        unwritten: writes that flash did not take.
    """

    def __init__(self, folder: str) -> None:
        self.session = None
        self.ceilings = []
        self.unwritten = 0
        self._number = 0
        self._path = folder + "/energy."
        for at in (0, 1):
            self._read(self._path + str(at))

    def reached(self, session: int, outlets: int) -> list:
        """Return what each counter may have been told to be when the UNO started this session; zeros where it has not.

        A UNO that has kept its session has not lost anything.
        """
        if self.session in (None, session) or len(self.ceilings) != outlets:
            return [0] * outlets
        return self.ceilings

    def tell(self, session: int, energies: list, powers: list) -> None:
        """Let these counters be told: raise the ceilings first if one of them is above."""
        low = [energy for energy, ceiling in zip(energies, self.ceilings) if energy <= ceiling]
        if session == self.session and len(low) == len(energies) == len(self.ceilings):
            return
        ahead = [max(AHEAD_MIN_MWH, (power or 0) * AHEAD_S // 3600) for power in powers]
        self.ceilings = [energy + more for energy, more in zip(energies, ahead)]
        self.session = session
        self._number += 1
        data = struct.pack(HEAD + "%dQ" % len(energies), self._number, session, len(energies), *self.ceilings)
        try:
            with open(self._path + str(self._number % 2), "wb") as file:
                file.write(data + struct.pack(CHECK, crc32(data)))
        except OSError:
            self.unwritten += 1

    def _read(self, path: str) -> None:
        try:
            size = os.stat(path)[6]
            with open(path, "rb") as file:
                data = file.read(min(size, 256))
        except OSError:
            return  # it was never written
        body, check = data[:-4], data[-4:]
        if len(body) < struct.calcsize(HEAD) or check != struct.pack(CHECK, crc32(body)):
            return  # cut while it was written: the other one holds
        number, session, outlets = struct.unpack_from(HEAD, body)
        if number > self._number:
            self._number, self.session = number, session
            self.ceilings = list(struct.unpack_from("<%dQ" % outlets, body, struct.calcsize(HEAD)))
