"""Which families the tests run on: those of the library's registry, as the profiles of their virtual modules have them.

Who adds a family adds nothing here. A profile that is derived from another family's makes its own a sibling of that
one: siblings run the shared cases, with the recommended readings; for everything else that one stands for them.
"""

import importlib
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[2] / "lib"))  # unless they are there already
sys.path.append(str(pathlib.Path(__file__).parents[1]))

import simcom
from sim.families import families

_QUICK_MS = 20  # how long a context takes to come and go, where nobody looks at that
_OPENS = {"start": "do_CIPSTART", "open": "do_CIPOPEN", "ca": "do_CAOPEN"}  # dialect: what it opens a link with


def profile(family: str) -> type:
    """The profile of its virtual module."""
    return importlib.import_module("sim." + family).Module


def sibling(family: str) -> str:
    """The family that stands for it: itself, if its profile is derived from no other's."""
    modules = [each for each in profile(family).__mro__ if each.__name__ == "Module"]
    return modules[-1].family


def speaking(dialect: str) -> tuple:
    """Those of FAMILIES that open their links so."""
    return tuple(each for each in FAMILIES if hasattr(profile(each), _OPENS[dialect]))


def quick(family: str) -> dict:
    """Settings of its virtual module that make contexts come and go at once."""
    times = ("ciicr_ms", "shut_ms", "netopen_ms", "netclose_ms", "activate_ms", "deactive_ms")
    return {each: _QUICK_MS for each in times if hasattr(profile(family), each)}


ALL = tuple(name.lower() for name in simcom.NAMES.split() if name.lower() in families())
FAMILIES = tuple(each for each in ALL if sibling(each) == each)
START, OPEN, CA = speaking("start"), speaking("open"), speaking("ca")
CIP = START + OPEN  # AT+CIPSEND, AT+CIPRXGET
