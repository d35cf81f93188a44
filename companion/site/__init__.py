"""site."""
from sphinxcontrib import katex
katex.STARTUP_TIMEOUT = 60
def setup(app):
    return {"parallel_read_safe": True}
