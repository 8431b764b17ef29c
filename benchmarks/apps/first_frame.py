"""regtui over a layout, ending at its first frame: `python -m benchmarks.apps.first_frame REPORT LAYOUT`.

The report (JSON) lists every module that was loaded by then.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from regtui.session import Session, SessionOptions, parse_target
from regtui.ui.app import RegtuiApp


class Told(RegtuiApp):
    """Ends as soon as it is ready."""

    def on_ready(self) -> None:
        """The first frame is drawn."""
        Path(sys.argv[1]).write_text(json.dumps(sorted(sys.modules)))
        self.exit()


if __name__ == "__main__":
    Told(Session.start(SessionOptions(use_cache=False)), parse_target(sys.argv[2])).run()
