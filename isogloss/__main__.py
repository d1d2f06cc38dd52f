"""`python -m isogloss`: the same as the console script."""

from __future__ import annotations

import sys

from isogloss import main

sys.exit(main())
