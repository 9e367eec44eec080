"""Houses and peers for the tests; each is ended with the test that asked for it."""

import os
import shutil

import pytest
import trustme

from house import House, furnish
from peers.loop import Loop


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return furnish(tmp_path_factory.mktemp("template"))


@pytest.fixture
def house(tmp_path, template):
    """`house(flags…)` starts a server."""
    opened = []

    def opening(*flags):
        folder = tmp_path / f"house-{len(opened)}"
        folder.mkdir()
        opened.append(House(folder, template, flags))
        return opened[-1]

    yield opening
    for each in opened:
        each.kill()


@pytest.fixture
def loop():
    """Where peers live that speak asyncio."""
    with Loop() as running:
        yield running


@pytest.fixture(scope="session")
def authority():
    """A certificate authority that nobody knows."""
    return trustme.CA()


@pytest.fixture
def needs():
    """Leaves a test out, by name, where the machine lacks something; with CI=true it fails instead."""

    def check(**there):
        missing = [name for name, is_there in there.items() if not is_there]
        if missing and os.environ.get("CI") == "true":
            pytest.fail(f"needs {', '.join(missing)}")
        if missing:
            pytest.skip(f"needs {', '.join(missing)}")

    return check


def program(name):
    """Where a program is; those of the administrator are not on everybody's path."""
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
