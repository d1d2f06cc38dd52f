"""Signs as SVG paths of 24 by 24, drawn by strokes, of our own."""

from __future__ import annotations

from collections.abc import Mapping

ICONS: Mapping[str, str] = {
    "wallboard": "M4 5h7v6H4zM13 5h7v3.5h-7zM13 11h7v8h-7zM4 14h7v5H4z",
    "calls": (
        "M6.5 4h3l1.5 4-2 1.4a11 11 0 0 0 5.6 5.6L16 13l4 1.5v3"
        "A2.5 2.5 0 0 1 17.5 20 13.5 13.5 0 0 1 4 6.5 2.5 2.5 0 0 1 6.5 4z"
    ),
    "queues": "M4 7h16M4 12h16M4 17h10",
    "agents": (
        "M4.5 12.5v-1a7.5 7.5 0 0 1 15 0v1M4.5 13h2.5v5H6a1.5 1.5 0 0 1-1.5-1.5zM19.5 13H17v5"
        "h1a1.5 1.5 0 0 0 1.5-1.5z"
    ),
    "lines": "M3 12h4l2.5-6 4 12 2.5-6H21",
    "nodes": "M5 5h14v5H5zM5 14h14v5H5zM8.5 7.5h.01M8.5 16.5h.01",
    "config": "M4 8h9M17 8h3M4 16h3M11 16h9M15 5.5v5M9 13.5v5",
    "reports": "M5 19V11M12 19V5M19 19v-5",
    "language": (
        "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM4 12h16M12 4c2.5 2.2 3.5 5 3.5 8s-1 5.8-3.5 8"
        "c-2.5-2.2-3.5-5-3.5-8s1-5.8 3.5-8z"
    ),
    "theme": "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
    "out": "M14 5h4.5v14H14M4.5 12H14M10.5 8.5 14 12l-3.5 3.5",
    "wall": "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
    "menu": "M4 7h16M4 12h16M4 17h16",
    "warning": "M12 4.5 21 19.5H3zM12 10v4.5M12 17.2h.01",
    "good": "M5 12.5 10 17.5 19.5 7",
    "search": "M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5",
    "hangup": "M3.5 14.5c5-4.700 12-4.700 17 0l-2.2 2.5-3.8-1.5v-2.300a9 9 0 0 0-5 0v2.300L5.700 17z",
    "back": "M14.5 5.5 8 12l6.5 6.5",
    "next": "M9.5 5.5 16 12l-6.5 6.5",
    "play": "M8 5.5v13l10.5-6.5z",
    "download": "M12 4.5v10M7.5 10.5 12 15l4.5-4.5M5 19.5h14",
}
