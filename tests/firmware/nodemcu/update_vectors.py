"""Plays spec/vectors/updates.jsonl on the gateway's part of an update, under MicroPython or CPython.

    micropython update_vectors.py VECTORS FOLDER

Prints one line of JSON: how many offers were made, and what was answered wrongly.
"""

# ruff: noqa: PTH123
import json
import sys
from binascii import unhexlify

from slots import Slots
from update import Update


class Narrow(Slots):
    """Slots with less room than the disk has, which have taken updates before."""

    def __init__(self, folder, room, last_n):
        super().__init__(folder, None, room)
        self._change(n=last_n)


def answers(vector, folder):
    slots = Narrow(folder, vector["room"], vector["last_n"])
    update = Update(slots, vector["pdu_id"], unhexlify(vector["key"]), lambda: 0, None)
    for step in vector["steps"]:
        update.take(json.dumps(step["offer"]).encode(), False)
        answer = update.due()
        update.said(answer)
        yield answer, step["answer"]


def main(path, folder):
    tried, wrong = 0, []
    with open(path) as lines:
        for line in lines:
            vector = json.loads(line)
            for found, expected in answers(vector, folder):
                tried += 1
                if found != expected:
                    wrong.append([vector["name"], found, expected])
    print(json.dumps({"tried": tried, "wrong": wrong}))


main(sys.argv[1], sys.argv[2])
