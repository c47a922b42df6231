"""The gateway's part of an update: what it takes, what it refuses, what it stores (MQTT-70 to MQTT-76)."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.firmware.nodemcu.modules import BOARD, GATEWAY, load

from loadcenter.protocol.updating import Offer

HERE = Path(__file__).parent
VECTORS = HERE.parents[2] / "spec" / "vectors" / "updates.jsonl"
INTERPRETERS = {
    "micropython": (
        [str(Path(sys.executable).with_name("micropython"))],
        {"MICROPYPATH": f"{GATEWAY}:{BOARD}:.frozen"},
    ),
    "cpython": ([sys.executable], {"PYTHONPATH": f"{GATEWAY}:{BOARD}"}),
}
KEY = bytes(range(32))
IMAGE = bytes(range(256)) * 5 + b"end"
ROOM = 1 << 20


@pytest.mark.parametrize(("program", "environment"), INTERPRETERS.values(), ids=INTERPRETERS)
def test_the_gateway_judges_offers_as_the_vectors_say(program, environment, tmp_path):
    """MQTT-71, MQTT-72, MQTT-76."""
    done = subprocess.run(
        [*program, str(HERE / "update_vectors.py"), str(VECTORS), str(tmp_path)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    vectors = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    assert json.loads(done.stdout) == {"tried": sum(len(one["steps"]) for one in vectors), "wrong": []}


def test_the_control_center_signs_as_the_vectors_say():
    for vector in map(json.loads, VECTORS.read_text(encoding="utf-8").splitlines()):
        for step in vector["steps"]:
            offer, image = step["offer"], b"image"
            mac = Offer(vector["pdu_id"], offer.get("n", 0), offer.get("version", ""), image).mac(
                bytes.fromhex(vector["key"])
            )
            if offer.get("sha256") == Offer("", 1, "", image).sha256 and offer.get("size") == len(image):
                refused = step["answer"].get("code") in ("bad_signature", "malformed")
                assert (mac == offer.get("mac")) is not refused


class Bench:
    """A gateway's update over two images in a folder, with a clock that the test turns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now_ms = 0
        self.restarts = 0
        self.placed: list[bytes] = []
        (folder / "image-0").write_bytes(b"the one that runs")
        self.power_on()

    def power_on(self) -> None:
        self.slots = load("slots").Slots(str(self.folder), self.place, ROOM)
        while not self.slots.start():
            self.slots = load("slots").Slots(str(self.folder), self.place, ROOM)
        self.update = load("update").Update(self.slots, "rack-1", KEY, lambda: self.now_ms, self.restart)

    def place(self, path: str) -> None:
        self.placed.append(Path(path).read_bytes())

    def restart(self) -> None:
        self.restarts += 1

    def offer(self, n: int = 1, image: bytes = IMAGE, key: bytes = KEY) -> Offer:
        made = Offer("rack-1", n, "1.1.0", image)
        self.update.take(made.encode(key), False)
        return made

    def say(self):
        """Return what the gateway says next, as if the broker took it."""
        said = self.update.due()
        if said is not None:
            self.update.said(said)
        return said

    def first_wanted(self, offer: Offer) -> int:
        """Return where the piece begins that is wanted next, and hand it out."""
        at = self.say()["at"]
        self.update.take(offer.encode_piece(at), False)
        return at

    def take(self, offer: Offer, pieces: int = 10**6) -> None:
        """Hand out the pieces that are wanted, at most so many."""
        while pieces and (said := self.say()) is not None and said["status"] == "wants":
            self.update.take(offer.encode_piece(said["at"]), False)
            pieces -= 1


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_an_image_is_taken_piece_by_piece_started_on_trial_and_kept(bench):
    """MQTT-73, MQTT-74, MQTT-75."""
    offer = bench.offer()
    bench.take(offer)
    assert bench.restarts == 1
    bench.power_on()
    assert bench.placed[-1] == IMAGE
    assert bench.slots.on_trial
    bench.update.online()
    assert not bench.slots.on_trial
    assert bench.say() == {"n": 1, "status": "confirmed", "version": "1.1.0"}
    assert bench.say() is None
    bench.power_on()
    bench.update.online()
    assert bench.say() is None


def test_how_it_ended_is_said_at_each_connect_until_the_broker_has_taken_it(bench):
    bench.take(bench.offer())
    bench.power_on()
    bench.update.online()
    bench.power_on()
    bench.update.online()
    assert bench.say()["status"] == "confirmed"


def test_an_offer_that_is_repeated_after_its_end_gets_its_end_again(bench):
    """MQTT-76."""
    offer = bench.offer()
    bench.take(offer)
    bench.power_on()
    bench.offer()
    assert bench.say() is None  # on trial: the end is near
    bench.update.online()
    bench.say()
    bench.offer()
    assert bench.say() == {"n": 1, "status": "confirmed", "version": "1.1.0"}


def test_another_offer_waits_until_the_version_on_trial_is_kept(bench):
    """The image before is the way back, and is not written over while it may be needed."""
    bench.take(bench.offer())
    bench.power_on()
    other = bench.offer(2, bytes(700))
    assert bench.say() is None
    assert (bench.folder / "image-0").read_bytes() == b"the one that runs"
    bench.update.online()
    assert bench.say()["status"] == "confirmed"
    bench.take(other)
    bench.power_on()
    assert bench.placed[-1] == bytes(700)


def test_a_wrong_signature_gets_no_byte_into_the_flash(bench):
    bench.offer(key=bytes(32))
    assert bench.say() == {"n": 1, "status": "refused", "code": "bad_signature"}
    assert sorted(path.name for path in bench.folder.iterdir()) == ["image-0", "slots.json"]


def test_an_image_that_is_not_what_was_signed_is_let_go_of(bench):
    """MQTT-74."""
    signed = bench.offer()
    other = Offer("rack-1", 1, "1.1.0", bytes(len(IMAGE)))
    said = None
    while said is None or said["status"] == "wants":
        said = bench.say()
        if said["status"] == "wants":
            bench.update.take(other.encode_piece(said["at"]), False)
    assert said == {"n": signed.n, "status": "refused", "code": "bad_digest"}
    assert not (bench.folder / "image-1").exists()
    bench.take(bench.offer(2))
    assert bench.restarts == 1


@pytest.mark.parametrize("pieces", range(3))
def test_a_cut_between_pieces_costs_no_piece(bench, pieces):
    """MQTT-76: also where the offer is made anew, under another number."""
    bench.take(bench.offer(1), pieces)
    bench.power_on()
    offer = bench.offer(2)
    assert bench.first_wanted(offer) == pieces * 512
    bench.take(offer)
    assert bench.restarts == 1
    bench.power_on()
    assert bench.placed[-1] == IMAGE


def test_a_cut_behind_the_last_piece_starts_the_new_version_all_the_same(bench):
    bench.take(bench.offer(), 3)
    assert bench.restarts == 0
    bench.power_on()
    bench.update.online()
    assert bench.say()["status"] == "confirmed"


@pytest.mark.parametrize("left", [0, 1, 511])
def test_a_cut_within_a_piece_costs_that_piece(bench, left):
    bench.take(bench.offer(), 2)
    path = bench.folder / "image-1"
    path.write_bytes(path.read_bytes()[: 512 + left])
    bench.power_on()
    offer = bench.offer()
    assert bench.first_wanted(offer) == 512
    bench.take(offer)
    assert bench.restarts == 1


def test_what_was_stored_of_another_image_is_not_used(bench):
    bench.take(bench.offer(), 2)
    other = bench.offer(2, bytes(700))
    assert bench.first_wanted(other) == 0
    bench.take(other)
    bench.power_on()
    assert bench.placed[-1] == bytes(700)


def test_pieces_that_are_not_wanted_are_ignored(bench):
    offer = bench.offer()
    bench.say()
    short = {"v": 1, "do": "piece", "n": 1, "at": 0, "data": base64.b64encode(bytes(511)).decode()}
    for payload in (
        offer.encode_piece(512),
        Offer("rack-1", 2, "1.1.0", IMAGE).encode_piece(0),
        json.dumps(short).encode(),
        json.dumps({**short, "data": 5}).encode(),
        json.dumps({**short, "data": "?"}).encode(),
        b"[]",
        b"\xff",
        b"{",
    ):
        bench.update.take(payload, False)
    bench.update.take(offer.encode_piece(0), True)  # retained
    bench.now_ms += 5_000
    assert bench.say() == {"n": 1, "status": "wants", "at": 0}


def test_it_asks_again_after_five_seconds_and_gives_up_after_a_minute(bench):
    """MQTT-73."""
    bench.offer()
    asked = []
    while bench.now_ms < 120_000:
        if bench.say() is not None:
            asked.append(bench.now_ms)
        bench.now_ms += 1_000
    assert asked == [5_000 * n for n in range(12)]
    bench.offer()
    assert bench.say()["status"] == "wants"


def test_a_version_that_never_reaches_the_broker_is_given_up_after_three_starts(bench):
    """MQTT-75: started again when 300 s are over, three times in all."""
    bench.take(bench.offer())
    for _ in range(3):
        bench.power_on()
        assert bench.placed[-1] == IMAGE
        before = bench.restarts
        bench.now_ms += 300_000
        bench.update.watch()
        assert bench.restarts == before
        bench.now_ms += 1
        bench.update.watch()
        assert bench.restarts == before + 1
    bench.power_on()
    assert bench.placed[-1] == b"the one that runs"
    assert not bench.slots.on_trial
    bench.update.online()
    assert bench.say() == {"n": 1, "status": "rolled_back", "version": ""}
    bench.offer()
    assert bench.say()["status"] == "rolled_back"  # and is not tried again under that number
    bench.take(bench.offer(2))
    bench.power_on()
    assert bench.placed[-1] == IMAGE


def test_a_version_on_trial_that_just_ends_is_given_up_too(bench):
    bench.take(bench.offer())
    starts = 0
    while not bench.placed or bench.placed[-1] != b"the one that runs" or starts < 2:
        bench.power_on()
        starts += 1
    assert starts == 4


def test_the_old_version_does_not_confirm_the_new_one(bench):
    """Connected again between the last piece and the restart."""
    offer = bench.offer()
    while (said := bench.update.due())["status"] == "wants":
        bench.update.said(said)
        bench.update.take(offer.encode_piece(said["at"]), False)
    bench.update.online()
    assert bench.slots.on_trial


def test_a_broker_that_takes_no_farewell_does_not_hold_up_the_start(bench):
    offer = bench.offer()
    while (said := bench.update.due())["status"] == "wants":
        bench.update.said(said)
        bench.update.take(offer.encode_piece(said["at"]), False)
    bench.update.watch()
    assert bench.restarts == 0
    bench.now_ms += 10_001
    bench.update.watch()
    assert bench.restarts == 1


def test_a_state_that_cannot_be_read_runs_the_first_image(bench):
    (bench.folder / "slots.json").write_text("{")
    bench.power_on()
    assert bench.placed[-1] == b"the one that runs"


def test_a_cut_while_an_image_is_put_into_its_place_is_made_good_at_the_next_start(bench, monkeypatch):
    bench.take(bench.offer())

    def cut(path):
        raise OSError("power")

    broken = load("slots").Slots(str(bench.folder), cut, ROOM)
    with pytest.raises(OSError, match="power"):
        broken.start()
    bench.power_on()
    assert bench.placed[-1] == IMAGE
    assert bench.slots.on_trial
