"""How derivations look: one style sheet for pages and slides, light and dark, on screens and on paper.

In: nothing.  Out: CSS, all of it under `.derivation`, so that it leaves a notebook around it alone.  System fonts
only: nothing is fetched.
"""

from __future__ import annotations

from symnet.expr.printing.scrolling import CUE, scrolling_style

STYLE = (
    scrolling_style(".derivation")
    + """
.derivation {
  color-scheme: light dark;
  --ink: #1d2129; --soft: #626a77; --faint: #9aa2ae; --line: #dfe2e8; --paper: #fdfdfb; --card: #ffffff;
  --forward: #23558f; --back: #b0451f; --back-soft: #fbefe9; --forward-soft: #eef4fb; --box: #f4f5f2;
  background: var(--paper); color: var(--ink);
  font: 17px/1.55 "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", "URW Palladio L", Georgia, serif;
  max-width: 60rem; margin: 0 auto; padding: 3.2rem 2rem 4rem; box-sizing: border-box;
}
@media (prefers-color-scheme: dark) {
  .derivation {
    --ink: #e5e7eb; --soft: #a1a8b4; --faint: #737b88; --line: #343a45; --paper: #16191f; --card: #1d2129;
    --forward: #8db9f0; --back: #f0a07c; --back-soft: #33241e; --forward-soft: #1e2936; --box: #20242c;
  }
}
.derivation math {
  font-family: "STIX Two Math", "Libertinus Math", "TeX Gyre Pagella Math", "Cambria Math", "Latin Modern Math",
    "DejaVu Math TeX Gyre", math;
}
.derivation header { border-bottom: 1px solid var(--line); padding-bottom: 1.6rem; margin-bottom: 2.2rem; }
.derivation .eyebrow {
  font-size: .8rem; letter-spacing: .14em; text-transform: uppercase; color: var(--soft); margin: 0;
}
.derivation h1 {
  font-size: 1.55rem; font-weight: 500; margin: .5rem 0 0; line-height: 1.9;
}
.derivation h2 { font-size: 1.15rem; font-weight: 600; margin: 2.6rem 0 .4rem; }
.derivation p { margin: .3rem 0 1rem; max-width: 44rem; }
.derivation .hint { color: var(--soft); font-size: .94rem; }
.derivation em { font-style: italic; }
.derivation figure { margin: 1rem 0 0; text-align: center; }
.derivation .lines > div, .derivation .step.value > div, .derivation h1 {
@CUE@}
.derivation .where > *, .derivation dd > span { max-width: 100%; box-sizing: border-box; }
.derivation .graph { display: inline-block; max-width: 100%; height: auto; }
.derivation .graph foreignObject { overflow: visible; }
.derivation .graph rect { fill: var(--card); stroke: var(--faint); stroke-width: 1.1; }
.derivation .graph .input rect { fill: var(--forward-soft); stroke: var(--forward); }
.derivation .graph .root rect { stroke: var(--ink); stroke-width: 1.8; }
.derivation .graph .constant rect, .derivation .graph .given rect { stroke-dasharray: 3 3; fill: none; }
.derivation .graph .folded rect { fill: var(--box); stroke-dasharray: 7 3; }
.derivation .graph .constant .cell { color: var(--soft); }
.derivation .graph .now rect { stroke: var(--back); stroke-width: 2.6; }
.derivation .graph .edge {
  fill: none; stroke: var(--faint); stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round;
}
.derivation .graph .edge.plain { stroke: var(--line); stroke-width: 1.3; }
.derivation .graph .edge.now { stroke: var(--back); stroke-width: 2.6; }
.derivation .graph .cell {
  width: 100%; height: 100%; display: flex; flex-direction: column; align-items: center; justify-content: center;
  gap: .1rem; font-size: 16px; line-height: 1.25; white-space: nowrap; color: var(--ink);
}
.derivation .graph .label .cell > div { background: var(--paper); padding: 1px 6px; border-radius: 4px; }
.derivation .graph .label .cell { font-size: 15px; color: var(--forward); }
.derivation .graph .label.passes .cell { color: var(--back); }
.derivation .graph .rule { font-style: italic; font-size: 13.5px; }
.derivation .number { color: var(--forward); font-variant-numeric: tabular-nums; }
.derivation .slope { color: var(--back); font-variant-numeric: tabular-nums; }
.derivation .hidden { visibility: hidden; }
.derivation .key {
  display: flex; flex-wrap: wrap; justify-content: center; gap: .3rem 1.4rem; color: var(--soft); font-size:
  .86rem; margin-top: .9rem;
}
.derivation .key b { font-weight: 600; }
.derivation .key .fwd { color: var(--forward); } .derivation .key .bwd { color: var(--back); }
.derivation table { border-collapse: collapse; margin: .8rem 0 0; }
.derivation td { padding: .42rem 0; vertical-align: baseline; }
.derivation .lines {
  display: grid; grid-template-columns: max-content minmax(0, 1fr); column-gap: .35rem; row-gap: .5rem; align-items:
  baseline; margin: .6rem 0; font-size: 1.06rem; padding-bottom: .25rem;
}
.derivation .lines > .lhs { text-align: right; }
.derivation .long { white-space: normal; }
.derivation .lines > div > .long, .derivation .step > div > .long, .derivation h1 > .long, .derivation .locals .long,
.derivation .where .long {
  display: block; padding-left: 1.6em; text-indent: -1.6em;
}
.derivation .long math { text-indent: 0; }
.derivation .step { border-top: 1px solid var(--line); padding: .85rem 0 .75rem; break-inside: avoid; }
.derivation .step.value {
  display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: .4rem 2rem; align-items: center;
  font-size: 1.06rem;
}
.derivation .gives { padding-left: 1.4rem; }
.derivation .step:last-child { border-bottom: 1px solid var(--line); }
.derivation .step .why { color: var(--soft); font-size: .9rem; margin: 0; }
.derivation .step .why math { color: var(--ink); }
.derivation .locals { color: var(--forward); display: flex; flex-direction: column; gap: .5rem; }
.derivation .lines.reasoned { grid-template-columns: max-content minmax(0, max-content) minmax(11rem, 1fr);
  column-gap: .35rem;
}
.derivation .lines.reasoned > .both { grid-column: 2 / -1; }
.derivation .both > .because { margin-top: .3rem; }
.derivation .both > .because:empty { display: none; }
.derivation .because {
  color: var(--soft); font-size: .88rem; font-style: italic; padding-left: 1.8rem; line-height: 1.4;
}
.derivation .because math, .derivation .because span { font-style: normal; }
.derivation .because math { white-space: nowrap; }
.derivation .part { margin: .25rem 0 .25rem 1.1rem; color: var(--ink); font-size: .96rem; }
.derivation .part .because { padding-left: .6rem; }
.derivation .back { color: var(--back); }
.derivation .laws {
  display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .5rem 1.6rem; margin: .6rem 0;
  align-items: baseline;
}
.derivation .laws dt { color: var(--soft); font-style: italic; font-size: .94rem; }
.derivation .laws dd { margin: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; align-items: baseline; }
.derivation .bar { color: var(--back); }
.derivation .result {
  background: var(--box); border-left: 3px solid var(--back); border-radius: 0 6px 6px 0; padding: .8rem 1.3rem;
  margin: 1rem 0; font-size: 1.12rem; --under: var(--box); break-inside: avoid;
}
.derivation .where {
  color: var(--soft); font-size: .96rem; display: flex; flex-wrap: wrap; gap: .35rem 1.6rem; align-items:
  baseline; margin: .2rem 0;
}
.derivation .where math { color: var(--ink); }
.derivation header .where { margin-top: .7rem; }
.derivation footer {
  margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--faint); font-size:
  .85rem;
}
@media (max-width: 40rem) {
  .derivation .lines { font-size: 1rem; }
  .derivation .parts { display: block; }
  .derivation :is(.parts, .long), .derivation :is(div, h1) > .long { padding-left: 1em; text-indent: -1em; }
  .derivation .parts math { text-indent: 0; }
  .derivation .graph { max-width: none; min-width: calc(.72 * var(--wide, 0px)); }
  .derivation { padding: 1.6rem 1rem; font-size: 16px; }
  .derivation h1 { font-size: 1.25rem; }
  .derivation .step.value { grid-template-columns: minmax(0, 1fr); }
  .derivation .lines.reasoned { grid-template-columns: max-content minmax(0, 1fr); }
  .derivation .lines:not(.reasoned) { grid-template-columns: minmax(0, 1fr); }
  .derivation .lines:not(.reasoned) > .lhs { text-align: left; }
  .derivation .lines.reasoned .because { grid-column: 2; padding-left: 1rem; margin-top: -.35rem; }
  .derivation .lines.reasoned .because:empty { display: none; }
  .derivation .laws { grid-template-columns: minmax(0, 1fr); gap: .1rem; }
  .derivation .laws dd { margin: 0 0 .6rem 1rem; }
}
@media print {
  .derivation {
    --ink: #000; --soft: #444; --faint: #888; --line: #ccc; --paper: #fff; --card: #fff; --forward: #1b4a80;
    --back: #9a3412; --back-soft: #fff; --forward-soft: #f3f6fa; --box: #f6f6f4;
    padding: 0; max-width: none; font-size: 11pt;
  }
  .derivation figure, .derivation .lines > div, .derivation h1, .derivation .step.value > div {
    overflow: visible; background: none;
  }
  .derivation h2 { break-after: avoid; }
  .derivation figure { break-inside: avoid; }
  .derivation .graph { max-height: 13cm; width: auto; }
  .derivation h1 { font-size: 1.25rem; line-height: 1.7; }
}
""".replace("@CUE@", CUE)
)

PAGE_STYLE = """
html { background: #fdfdfb; }
body { margin: 0; }
@media (prefers-color-scheme: dark) { html { background: #16191f; } }
@media print { html { background: #fff; } @page { margin: 18mm; } }
"""
