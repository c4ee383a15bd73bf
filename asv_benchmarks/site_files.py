"""Make the site of ``asv publish`` whole: its scripts come from hosts that may be out of reach."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

#: What the page loads, by the end of its address, and where a package of npm has it. Versions are
#: in package.json: those that asv 0.6 names, but for stupid-table-plugin, whose 1.0.1 npm lacks.
FILES = {
    "jquery-3.3.1.min.js": "jquery/dist/jquery.min.js",
    "jquery.flot.min.js": "flot/jquery.flot.js",
    "jquery.flot.time.min.js": "flot/jquery.flot.time.js",
    "jquery.flot.selection.min.js": "flot/jquery.flot.selection.js",
    "jquery.flot.categories.min.js": "flot/jquery.flot.categories.js",
    "jquery.flot.orderBars.js": "flot-orderbars/js/jquery.flot.orderBars.js",
    "stupidtable.min.js": "stupid-table-plugin/stupidtable.min.js",
    "md5.min.js": "blueimp-md5/js/md5.min.js",
    "bootstrap.min.js": "bootstrap/dist/js/bootstrap.min.js",
    "bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
}
_TAG = re.compile(r"<(?:script|link)\b[^>]*>")
_ADDRESS = re.compile(r'(src|href)="https://[^"]*/([^"/]+)"')
_FOR_OTHER_HOSTS = re.compile(r' (?:integrity|crossorigin|referrerpolicy)="[^"]*"')


def localise(site: Path) -> int:
    """Copy what the pages load from elsewhere into the site, and return the exit status."""
    if shutil.which("npm") is None:
        print("npm is not there: the site will load its scripts from the network", file=sys.stderr)
        return 0
    packages = HERE / ".asv" / "npm"
    packages.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "package.json", packages)
    status = subprocess.run(
        ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=packages,
        check=False,
    ).returncode
    if status:
        return status
    (site / "vendor").mkdir(exist_ok=True)
    for name, source in FILES.items():
        shutil.copy(packages / "node_modules" / source, site / "vendor" / name)
    page = site / "index.html"
    page.write_text(_TAG.sub(_local, page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def _local(match: re.Match[str]) -> str:
    """Return a tag that loads the copy; a new file of a newer asv is an error."""
    tag = match.group()
    address = _ADDRESS.search(tag)
    if address is None:
        return tag
    if address[2] not in FILES:
        raise LookupError(f"site_files.py does not know {address[2]}: add it to FILES")
    return _FOR_OTHER_HOSTS.sub("", _ADDRESS.sub(r'\1="vendor/\2"', tag))
