"""How Sphinx builds the manual; warnings are errors (`make docs`)."""

from __future__ import annotations

from cromwell_userdb import __version__

project = "cromwell-userdb"
author = "The cromwell-userdb developers"
version = release = __version__
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"cromwell-userdb {__version__}"
html_show_sourcelink = False
html_show_copyright = False
