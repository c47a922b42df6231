"""Runs spec/vectors/serial.jsonl on the gateway's frames, under MicroPython or CPython.

    micropython frame_vectors.py FILE

Prints one line of JSON: how many vectors were tried, and what was wrong.
"""

# ruff: noqa: PTH123
import json
import sys

from frames import Lines, decode, encode


def words(frame):
    return {"type": frame[0], "seq": frame[1], "session": frame[2], "numbers": list(frame[3])}


def read(vector, at_once):
    lines = Lines()
    data = bytes([ord(c) for c in vector["bytes"]])
    frames = []
    for at in range(0, len(data), at_once):
        frames += lines.take(data[at : at + at_once])
    return {"frames": [words(frame) for frame in frames], "thrown": lines.thrown}


def main(path):
    tried, wrong = 0, []
    with open(path) as lines:
        vectors = [json.loads(line) for line in lines]
    for vector in vectors:
        for at_once in (1, 7, 1000):
            tried += 1
            found = read(vector, at_once)
            if found != {"frames": vector["frames"], "thrown": vector["thrown"]}:
                wrong.append([vector["name"], found])
    line = encode("C 31 1234 1 2 0")
    if line != b"C 31 1234 1 2 0 *C776\n" or decode(line[:-1]) is None:
        wrong.append(["encode", str(line)])
    print(json.dumps({"tried": tried, "wrong": wrong}))


main(sys.argv[1])
