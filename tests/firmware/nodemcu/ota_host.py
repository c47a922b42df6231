"""One start of a gateway whose program comes over the air: what the loader does on a board, in a process.

    micropython ota_host.py HOME PORT PASSWORD KEY

Ends whenever the board would start again.
"""

import sys

from romfs import unpack
from slots import Slots

HOME = sys.argv[1]
slots = Slots(HOME, lambda path: unpack(path, HOME + "/run"), 1 << 20)
if slots.start():
    print("runs", slots.version or "the first")
    sys.path.insert(0, HOME + "/run")
    from start import main

    main(slots, HOME, int(sys.argv[2]), sys.argv[3], sys.argv[4])
