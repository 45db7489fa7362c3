"""The end of the process: what plugins left running does not keep it alive."""

from __future__ import annotations

import os
import sys
import threading
from typing import NoReturn

#: Seconds that threads get which a plugin left running; the interpreter would wait for them for ever.
PATIENCE = 5.0


def leave(code: int) -> NoReturn:
    """End the process with an exit code, threads of plugins or not.

    Everything of the program's own is closed and written by then: what is left running here is a plugin's.
    """
    guard = threading.Timer(PATIENCE, _give_up, [code])
    guard.daemon = True
    guard.start()
    sys.exit(code)


def _give_up(code: int) -> None:
    # Here the main thread waits for the others (`threading._shutdown`): this one is a daemon, so it can end
    # them all.
    main, own = threading.main_thread(), threading.current_thread()
    left = [each.name for each in threading.enumerate() if each not in {main, own} and not each.daemon]
    names = ", ".join(ascii(name[:60]) for name in left[:5]) or "at the end of the process"
    told = f"Warning: a plugin left something running ({names}); the program ends without waiting for it.\n"
    os.write(2, told.encode())
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
