"""Exit 0 when the server in this container is alive; the image's HEALTHCHECK."""

import os
import sys
import urllib.error
import urllib.request

direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    direct.open(f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz", timeout=2).close()
except (OSError, urllib.error.URLError) as error:
    sys.exit(f"not healthy: {error}")
