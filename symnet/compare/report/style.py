"""How a comparison looks as a page: light and dark, on screens and on paper; system fonts only, nothing is fetched.

In: nothing.  Out: CSS, all of it under `.comparison`, so that it leaves a notebook around it alone.
"""

from __future__ import annotations

from symnet.expr.printing.scrolling import scrolling_style

STYLE = (
    scrolling_style(".comparison")
    + """
.comparison {
  color-scheme: light dark;
  --ink: #1d2129; --soft: #626a77; --line: #dfe2e8; --paper: #fdfdfb; --card: #f4f5f2; --wrong: #b0451f;
  --symbolic: #23558f; --reverse: #b0651f; --forward: #4b7d3c; --differences: #8a4f86; --given: #5d6673;
  background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  max-width: 78rem; margin: 0 auto; padding: 2.2rem 1.6rem 3rem; box-sizing: border-box;
}
@media (prefers-color-scheme: dark) {
  .comparison {
    --ink: #e5e7eb; --soft: #a1a8b4; --line: #343a45; --paper: #16191f; --card: #20242c; --wrong: #f0a07c;
    --symbolic: #8db9f0; --reverse: #e8b27a; --forward: #9fce8e; --differences: #d5a3d1; --given: #b3bac6;
  }
}
.comparison h1 { font-size: 1.45rem; font-weight: 600; margin: 0 0 .3rem; }
.comparison h2 { font-size: 1.05rem; font-weight: 600; margin: 2.2rem 0 .6rem; }
.comparison p { margin: .3rem 0; max-width: 52rem; }
.comparison .soft { color: var(--soft); }
.comparison math { font-size: 1.1em; }
.comparison .wide th:first-child, .comparison .wide td:first-child {
  position: sticky; left: 0; z-index: 1; background: var(--paper); box-shadow: 1px 0 var(--line);
}
.comparison .wide tr.symbolic td { background: color-mix(in srgb, var(--ink) 5%, transparent); }
.comparison .wide tr.symbolic td:first-child { background: var(--card); }
.comparison table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .93em; }
.comparison th, .comparison td { padding: .34rem .48rem; text-align: right; white-space: nowrap; }
.comparison th { font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--line); vertical-align: bottom; }
.comparison td { border-bottom: 1px solid var(--line); }
.comparison th:first-child, .comparison td:first-child { text-align: left; padding-left: 0; }
.comparison .dot { display: inline-block; width: .62em; height: .62em; border-radius: 50%; margin-right: .5em; }
.comparison .key { margin-right: 1.2em; white-space: nowrap; }
.comparison .wrong { color: var(--wrong); font-weight: 600; }
.comparison .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(28rem, 1fr)); gap: 1.4rem 2.4rem; }
.comparison figure { margin: 0; }
.comparison figcaption { color: var(--soft); margin-bottom: .4rem; }
.comparison .bars {
  display: grid; grid-template-columns: max-content 1fr; gap: .3rem .8rem; align-items: center; font-size: .9rem;
}
.comparison .track { display: flex; align-items: center; gap: .5em; min-width: 0; }
.comparison .bar { height: 1em; border-radius: 2px; min-width: 2px; }
.comparison .track span { white-space: nowrap; font-variant-numeric: tabular-nums; }
.comparison dl { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1.2rem; margin: .4rem 0; }
.comparison dt { font-weight: 600; white-space: nowrap; } .comparison dd { margin: 0; min-width: 0; }
.comparison .long, .comparison .parts { display: block; padding-left: 1.6em; text-indent: -1.6em; line-height: 1.9; }
.comparison .long math, .comparison .parts math { text-indent: 0; }
.comparison ul { margin: .3rem 0; padding-left: 1.2rem; } .comparison li { margin: .2rem 0; max-width: 60rem; }
@media (max-width: 78rem) {
  .comparison table { font-size: .86em; } .comparison th, .comparison td { padding: .34rem; }
}
@media (max-width: 40rem) {
  .comparison .wide th:first-child, .comparison .wide td:first-child { white-space: normal; max-width: 7.5rem; }
  .comparison { padding: 1.2rem .9rem 2rem; } .comparison dl { grid-template-columns: 1fr; gap: .1rem; }
  .comparison dd { margin-bottom: .6rem; } .comparison .charts { grid-template-columns: minmax(0, 1fr); }
}
@media print {
  .comparison { padding: 0; max-width: none; } .comparison table, .comparison figure { break-inside: avoid; }
}
"""
)
PAGE_STYLE = """
body { margin: 0; background: #fdfdfb; }
@media (prefers-color-scheme: dark) { body { background: #16191f; } }
"""
