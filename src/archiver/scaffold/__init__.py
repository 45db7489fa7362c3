"""Write a new plugin: a whole distribution that works, with tests, as a beginning.

`names` says how everything in it is called; `writing` fills the templates. The templates are files that
are shipped with the program; `%%{type}` and the like in them stand for the names.
"""

from archiver.scaffold.names import Names, named
from archiver.scaffold.writing import KINDS, LICENCES, Written, write

__all__ = ["KINDS", "LICENCES", "Names", "Written", "named", "write"]
