"""A text as a QR code (ISO/IEC 18004) in SVG, drawn here, so that no secret goes to anybody else's server."""

from __future__ import annotations

import segno
from markupsafe import Markup

from engine.console.markup import tag

BORDER = 4  # modules of quiet around it, as the standard wants


def qr(text: str, label: str) -> Markup:
    """Dark on light whatever the page's colours, for phones read nothing else for sure."""
    code = segno.make(text, error="m", micro=False)
    path = []
    for y, row in enumerate(code.matrix):
        x = 0
        while x < len(row):
            run = x
            while run < len(row) and row[run]:
                run += 1
            if run > x:
                path.append(f"M{x + BORDER} {y + BORDER}h{run - x}v1h-{run - x}z")
            x = run + 1
    size = len(code.matrix) + 2 * BORDER
    return tag(
        "svg",
        tag("rect", width=size, height=size, class_="ground"),
        tag("path", d="".join(path), class_="ink"),
        viewbox=f"0 0 {size} {size}",
        class_="qr",
        role="img",
        aria_label=label,
    )
