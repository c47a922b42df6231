"""Freezes the gateway into a MicroPython of one's own: for a board that has no ROM partition.

    make -C ports/esp8266 BOARD=ESP8266_GENERIC FROZEN_MANIFEST=.../firmware/nodemcu/manifest.py

Copy board/portal.html to the board beside it. What is frozen comes before every image, so such a gateway takes no update over the air; that is why `loadcenter flash
nodemcu` does not use this.
"""

include("$(PORT_DIR)/boards/manifest.py")  # noqa: F821 - makemanifest.py runs this file
freeze("gateway")  # noqa: F821
freeze("board")  # noqa: F821
