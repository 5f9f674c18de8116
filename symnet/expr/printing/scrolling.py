"""Boxes that scroll sideways by themselves, on a page that does not: for what no line break divides.

In: HTML that may be wider than its place.  Out: the same in an element that the keyboard reaches, and the CSS for it:
where something is cut, a shadow lies at that side.  The shadow needs no script: it stands still while what covers it
at the ends scrolls along.
"""

from __future__ import annotations

from html import escape

CUE = """
  overflow-x: auto; overflow-y: hidden;
  background:
    linear-gradient(to right, var(--under, var(--paper)) 35%, transparent) left -1px top / 2.2rem 100% no-repeat local,
    linear-gradient(to left, var(--under, var(--paper)) 35%, transparent) right -1px top / 2.2rem 100% no-repeat local,
    linear-gradient(to right, var(--shade), transparent) left / .8rem 100% no-repeat scroll,
    linear-gradient(to left, var(--shade), transparent) right / .8rem 100% no-repeat scroll;
"""
"""Declarations of a box that scrolls; `--under` is what it lies on, where that is not `--paper`."""

_STYLE = f"""
@SCOPE@ {{ --shade: rgb(29 33 41 / .32); }}
@media (prefers-color-scheme: dark) {{
  @SCOPE@ {{ --shade: rgb(229 231 235 / .38); }}
}}
@SCOPE@ .scrolls {{ {CUE} }}
@SCOPE@ span.scrolls {{
  display: inline-block; max-width: 100%; vertical-align: middle; text-indent: 0; padding: .1em 0 .3em;
}}
@SCOPE@ .scrolls:focus-visible {{
  outline: 2px solid var(--accent, var(--forward, var(--symbolic, currentColor)));
}}
@SCOPE@ .kept {{ white-space: nowrap; }}
@media (max-width: 40rem) {{
  @SCOPE@ .kept {{ white-space: normal; }}
}}
@media print {{
  @SCOPE@ .scrolls {{ overflow: visible; background: none; }}
}}
"""
SCROLLS = 'class="scrolls'


def scrolling_style(scope: str) -> str:
    """The CSS of boxes that scroll inside of some elements.

    Args:
        scope: a selector; nothing outside of it is touched.
    """
    return _STYLE.replace("@SCOPE@", scope)


def scrolling(inside: str, said: str, tag: str = "span", more: str = "") -> str:
    """HTML in a box that scrolls.

    Args:
        inside: the HTML.
        said: what it is, to those who do not see it.
        tag: of the box.
        more: further classes.
    """
    names = f'{SCROLLS} {more}"' if more else f'{SCROLLS}"'
    return f'<{tag} {names} tabindex="0" role="group" aria-label="{escape(said)}">{inside}</{tag}>'
