"""Two images of the gateway's program in flash: which one runs, and which is on trial (MQTT-74 to MQTT-76).

Runs under MicroPython and CPython. It belongs to the loader, which no update replaces. A cut at any instant leaves
either the state before or the one after: the state is one file, replaced by renaming, and an image is never written
over while it is the one to run.
"""

import hashlib
import json
import os

STATE, NEW = "slots.json", "slots.new"
STARTS = 3  # of a version on trial, before the one before runs again (MQTT-75)
PIECE = 512  # bytes, as MQTT-70 says
FIRST = {
    "run": 0,
    "placed": None,
    "trial": None,
    "n": 0,
    "versions": ["", ""],
    "offer": None,
    "outcome": None,
}


class Slots:
    """The images `image-0` and `image-1` in a folder.

    Args:
        folder: where they are, with `slots.json`.
        place: called with the path of the image that is to run; puts it where it runs from, as often as it is
            called. If it is cut off, it is called again at the next start.
        most: bytes of the largest image that `place` can take.
    """

    def __init__(self, folder: str, place: object, most: int) -> None:
        self._folder = folder
        self._place = place
        self._most = most
        self._state = dict(FIRST)
        try:
            with open(self._path(STATE)) as file:
                self._state.update(json.load(file))
        except (OSError, ValueError):
            pass  # never started before, or its flash is damaged: image-0 runs

    @property
    def last_n(self) -> int:
        """Number of the last offer whose update was begun to be installed, 0 before the first."""
        return self._state["n"]

    @property
    def version(self) -> str:
        """Name of the version that runs, "" if it was not said."""
        return self._state["versions"][self._state["run"]]

    @property
    def on_trial(self) -> bool:
        """Whether the version that runs has still to show that it reaches the broker."""
        return self._state["trial"] is not None

    @property
    def outcome(self) -> list | None:
        """How the last update ended: its number, `confirmed` or `rolled_back`, and whether the broker knows."""
        return self._state["outcome"]

    def start(self) -> bool:
        """Choose what runs now; return whether it is in its place, else the board must start again.

        Counts a start of a version on trial; goes back to the one before when none is left.

        Raises:
            OSError: there is no image, or it cannot be put into its place.
        """
        state = self._state
        if state["trial"] == 0:
            self._change(run=1 - state["run"], trial=None, outcome=[state["n"], "rolled_back", False])
        if state["placed"] != state["run"]:
            if not self._size(state["run"]):
                raise OSError(
                    "there is no %s: `loadcenter flash nodemcu` brings it" % self._image(state["run"])
                )
            self._change(placed=None)
            self._place(self._image(state["run"]))
            self._change(placed=state["run"])
            return False
        if state["trial"]:
            self._change(trial=state["trial"] - 1)
        return True

    def room(self) -> int:
        """Return how many bytes an image may have now."""
        facts = os.statvfs(self._folder or "/")
        return min(self._most, facts[1] * facts[4] + self._size(1 - self._state["run"]))

    def begin(self, offer: dict) -> int:
        """Get ready for an image, `n version size sha256`; return how many bytes of it are here already."""
        spare = 1 - self._state["run"]
        known = self._state["offer"]
        same = known and all(known[key] == offer[key] for key in ("version", "size", "sha256"))
        if not same and self._size(spare):
            os.remove(self._image(spare))
        if known != offer:
            self._change(offer=offer)
        return min(self._size(spare), offer["size"]) // PIECE * PIECE if same else 0

    def write(self, at: int, data: bytes) -> None:
        """Store a piece; those before it are stored."""
        path = self._image(1 - self._state["run"])
        with open(path, "r+b" if at else "wb") as file:
            file.seek(at)
            file.write(data)

    def complete(self) -> bool:
        """Return whether the image is what was offered; it then runs on trial after the next start, else it is gone."""
        spare = 1 - self._state["run"]
        offer = self._state["offer"]
        versions = list(self._state["versions"])
        if self._size(spare) != offer["size"] or self._digest(spare) != offer["sha256"]:
            os.remove(self._image(spare))
            self._change(offer=None)
            return False
        versions[spare] = offer["version"]
        self._change(run=spare, trial=STARTS, n=offer["n"], versions=versions, offer=None, outcome=None)
        return True

    def confirm(self) -> None:
        """Keep the version on trial."""
        self._change(trial=None, outcome=[self._state["n"], "confirmed", False])

    def told(self) -> None:
        """Note that the broker has taken how the last update ended."""
        n, status, known = self._state["outcome"]
        if not known:
            self._change(outcome=[n, status, True])

    def _change(self, **changes: object) -> None:
        self._state.update(changes)
        with open(self._path(NEW), "w") as file:
            json.dump(self._state, file)
        os.rename(self._path(NEW), self._path(STATE))

    def _path(self, name: str) -> str:
        return self._folder + "/" + name

    def _image(self, slot: int) -> str:
        return self._path("image-%d" % slot)

    def _size(self, slot: int) -> int:
        try:
            return os.stat(self._image(slot))[6]
        except OSError:
            return 0

    def _digest(self, slot: int) -> str:
        digest = hashlib.sha256()
        with open(self._image(slot), "rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
        return "".join(["%02x" % byte for byte in digest.digest()])
