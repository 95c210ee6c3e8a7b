"""A peer of Ableton Link, who says where in the music it takes itself to be. For an interpreter that has `link`
(linkpython-extern); it needs nothing else.

PYTHON linked.py SECONDS

Both peers of a trial read the same clock of the machine, so at any one of its moments their beats should be the same.
"""

import json
import sys
import time

import link

EVERY_US = 50_000
BEATS_PER_MINUTE = 120.0
QUANTUM = 4.0

peer = link.Link(BEATS_PER_MINUTE)
peer.enabled = True
samples = []
until = time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    at_us = (peer.clock().micros() // EVERY_US + 1) * EVERY_US
    time.sleep(max(0.0, (at_us - peer.clock().micros()) / 1e6))
    if peer.numPeers():
        samples.append((at_us, peer.captureSessionState().beatAtTime(at_us, QUANTUM)))
print(json.dumps(samples))
peer.enabled = False
