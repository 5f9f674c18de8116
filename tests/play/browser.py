"""A headless Chromium that is told what to press, over a pipe, by the DevTools protocol.

In: a size of the window.  Out: `Browser`, with `go`, `press`, `tap` and `value`.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
SECONDS = 30.0  # for what is waited for


class Browser:
    """One page of one size.  Close it."""

    def __init__(self, width: int, height: int, profile: Path, mobile: bool = False) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        place = f"--user-data-dir={profile}"
        script = f"exec chromium {' '.join(FLAGS)} {place} --remote-debugging-pipe 3<&{theirs_in} 4>&{theirs_out}"
        self._process = subprocess.Popen(
            ["bash", "-c", script],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (theirs_in, theirs_out):
            os.close(end)
        self._count, self._rest, self._session = 0, b"", None
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.resize(width, height, mobile)

    def resize(self, width: int, height: int, mobile: bool = False) -> None:
        """Give the page another size; one that was opened before is laid out anew."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self._send("Emulation.setDeviceMetricsOverride", **size)

    def close(self) -> None:
        """End the browser."""
        with suppress(OSError):
            self._send("Browser.close")
        self._process.wait(SECONDS)
        for end in (self._in, self._out):
            os.close(end)

    def go(self, url: str) -> None:
        """Open a page, and wait until it has run."""
        self._send("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, script: str) -> Any:
        """What a JavaScript expression gives."""
        return self._send("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + SECONDS
        while not self.value(script):
            assert time.monotonic() < end, f"it never came: {script}"
            time.sleep(0.05)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self._send("Input.insertText", text=text)

    def press(self, key: str, code: int, modifiers: int = 0) -> None:
        """Press a key; 2 is Ctrl."""
        text = "\r" if key == "Enter" and not modifiers else ""
        for kind in ("keyDown", "keyUp"):
            self._send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                text=text,
                modifiers=modifiers,
            )

    def tap(self, selector: str) -> None:
        """Press the middle of an element, where it is on the screen."""
        box = self.value(
            f"(r => [r.x + r.width/2, r.y + r.height/2])(document.querySelector('{selector}').getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def picture(self) -> str:
        """The screen as PNG, in base 64."""
        return str(self._send("Page.captureScreenshot", format="png")["data"])

    def _send(self, method: str, **parameters: Any) -> Any:
        self._count += 1
        asked = {"id": self._count, "method": method, "params": parameters}
        if self._session is not None and not method.startswith(("Browser.", "Target.")):
            asked["sessionId"] = self._session
        os.write(self._out, json.dumps(asked).encode() + b"\0")
        while True:
            found = self._read()
            if found.get("id") == self._count:
                assert "error" not in found, found
                return found["result"]

    def _read(self) -> Any:
        while b"\0" not in self._rest:
            assert select.select([self._in], [], [], SECONDS)[0], "the browser does not answer"
            more = os.read(self._in, 1 << 16)
            if not more:
                raise BrokenPipeError("the browser has gone")
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)
