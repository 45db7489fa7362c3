"""One page on what this installation is and what it lacks, made to be pasted where others read it.

Every look is independent: what fails is a line of its own, and the rest goes on. `lines` says what a line is,
`shade` takes out what is nobody's business, the others look: `machine`, `tools`, `setup`, `places`.
"""

from archiver.doctor.lines import Level, Line
from archiver.doctor.visit import Visit, examine

__all__ = ["Level", "Line", "Visit", "examine"]
