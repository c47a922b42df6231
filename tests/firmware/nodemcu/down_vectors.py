"""Reads the golden lines of spec/vectors with the gateway's frames, under MicroPython or CPython.

    micropython down_vectors.py FOLDER_OF_VECTORS

Prints one line of JSON: how many lines were tried, and what was wrong.
"""

# ruff: noqa: PTH123
import json
import sys

from frames import Lines, encode


def vectors(folder):
    for name in ("serial", "serial-up"):
        with open(folder + "/" + name + ".jsonl") as lines:
            for line in lines:
                yield json.loads(line)


def read(data, at_once):
    lines = Lines()
    frames = []
    for at in range(0, len(data), at_once):
        frames += lines.take(data[at : at + at_once])
    return [list(frame) for frame in frames], lines.thrown


def written(frames):
    """Return frames as lines; numbers that are not known cannot be said by a gateway."""
    return b"".join([encode(*frame) for frame in frames if None not in frame[3]])


def main(folder):
    tried, wrong = 0, []
    for vector in vectors(folder):
        data = bytes([ord(sign) for sign in vector["bytes"]])
        frames = [[one["type"], one["seq"], one["session"], one["numbers"]] for one in vector["frames"]]
        said = written(frames)
        found = [read(data, at_once) for at_once in (1, 7, 1000)]
        tried += 1
        if found != [(frames, vector["thrown"])] * 3 or read(said, 1000)[0] != frames[: said.count(b"\n")]:
            wrong.append([vector["name"], found])
    print(json.dumps({"tried": tried, "wrong": wrong}))


main(sys.argv[1])
