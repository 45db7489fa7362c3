"""Prove what the sinks hold, and repair it: `archive verify`.

The way through it: `survey` lists a sink and, with `objects`, says what every value has to be (`items`);
`selection` chooses what to look at; `proving` hashes on all cores (`reading`, `checking`); `adopting` and
`repair` make right what is wrong; `verification` holds it together; `findings` is the report.
"""

from archiver.verify.findings import Finding, Looked, SinkResult, VerifyReport, What
from archiver.verify.selection import Wanted
from archiver.verify.verification import Silent, Verify, Watcher

__all__ = ["Finding", "Looked", "Silent", "SinkResult", "Verify", "VerifyReport", "Wanted", "Watcher", "What"]
