"""Where the gateway is, and how its policy is changed while calls run.

Reads GATEWAY and CONSOLE, the addresses of the program, and KEY, the master key of its organization.
"""

import json
import os
import urllib.request

GATEWAY = os.environ["GATEWAY"]


def ask(method, path, body=None):
    """Asks the JSON API; anything but success raises."""
    headers = {"Authorization": f"Bearer {os.environ['KEY']}", "Content-Type": "application/json"}
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{os.environ['CONSOLE']}/api/v1/{path}", sent, headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def another_key(**more):
    """A key of its own for a test that revokes it or uses it up: its id and its text."""
    key = ask("POST", "keys", {"name": "Of a test", **more})
    return key["id"], key["secret"]


def until_known(call, error):
    """Calls until the gateway knows the key that it was given, which takes until its entry has come."""
    while True:
        try:
            return call()
        except error:
            continue
