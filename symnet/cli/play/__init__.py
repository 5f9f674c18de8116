"""`symnet play`: a local page to try formulas on, in a browser.

`answers.py` turns what was typed into what is shown; `worker.py` runs it in a process of its own, within limits of time
and memory; `server.py` serves the page (`page.html`, `style.css`, `script.js`) and the answers to this machine alone.
"""
