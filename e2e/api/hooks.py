"""What schemathesis cannot make up: half of its requests name things that are there, the rest stay as generated.

Reads KNOWN, a JSON object from the name of a path parameter or of a field to values that fit it, and OWN_KEY, the id
of the key that it asks with.
"""

import itertools
import json
import os

import schemathesis

KNOWN = json.loads(os.environ["KNOWN"])
turns = itertools.count()


def with_known(made):
    turn = next(turns)
    if turn % 2 or not isinstance(made, dict):
        return made
    return made | {name: KNOWN[name][turn // 2 % len(KNOWN[name])] for name in made if KNOWN.get(name)}


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return with_known(path_parameters)


@schemathesis.hook
def map_body(context, body):
    return with_known(body)


@schemathesis.hook
def filter_case(context, case):
    """Spares its own key: once that is rotated or revoked, every later answer is a 401 and proves nothing."""
    return (case.path_parameters or {}).get("key") != os.environ["OWN_KEY"]
