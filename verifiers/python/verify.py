"""Verifies exported trails and proofs of entries. It knows the C2SP formats and nothing of Gatewarden's code.

    python verify.py [--key FILE] EXPORTED…

Each EXPORTED is a folder that `gatewarden trail export` wrote, or the `.tlog-proof` file of one entry, which needs --key.
It prints a line for each and exits with 1 when one cannot be trusted. Sources: c2sp.org/signed-note, tlog-checkpoint,
tlog-tiles and tlog-proof; RFC 6962 section 2.1, and RFC 9162 section 2.1.3.2 for inclusion.
"""

import argparse
import base64
import binascii
import hashlib
import json
import pathlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256
ED25519 = b"\x01"


class Broken(Exception):
    """What is wrong, as a sentence."""


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(entry):
    return sha256(b"\x00", entry)


def node_hash(left, right):
    return sha256(b"\x01", left, right)


def tree_hash(hashes):
    """MTH of RFC 6962, over the hashes of leaves."""
    if not hashes:
        return sha256()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return node_hash(tree_hash(hashes[:split]), tree_hash(hashes[split:]))


def decode(text):
    """Base64 in its one form: a decoder that passes over stray bits would let two texts say the same."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as bad:
        raise Broken("something is not base64") from bad
    if base64.b64encode(decoded).decode() != text:
        raise Broken("something is not base64 in its one form")
    return decoded


def is_name(name):
    return name != "" and "+" not in name and not any(c.isspace() for c in name)


class Key:
    """A log's name, which ends in its epoch, and its Ed25519 key."""

    def __init__(self, text):
        try:
            self.name, self.hash, encoded = text.split("+", 2)
            self.log, number = self.name.rsplit("/", 1)
        except ValueError as bad:
            raise Broken("the key is none") from bad
        if not (number.isascii() and number.isdigit() and number[0] != "0"):
            raise Broken("the key names no epoch")
        self.epoch = int(number)
        key = decode(encoded)
        self.id = sha256(self.name.encode(), b"\n", key)[:4]
        if not is_name(self.name) or len(key) != 33 or key[:1] != ED25519 or self.hash != self.id.hex():
            raise Broken("the key is none")
        self.bytes = key
        self.public = Ed25519PublicKey.from_public_bytes(key[1:])

    def is_same_log(self, other):
        """Whether both are of one log, in whichever epochs."""
        return (self.log, self.bytes) == (other.log, other.bytes)

    def in_epoch(self, epoch):
        """The key as it is written for another epoch of its log."""
        name = f"{self.log}/{epoch}"
        id = sha256(name.encode(), b"\n", self.bytes)[:4]
        return Key(f"{name}+{id.hex()}+{base64.b64encode(self.bytes).decode()}")

    def open(self, note):
        """The size and the root of a checkpoint that this key signed."""
        try:
            note = note.decode()
        except UnicodeDecodeError as bad:
            raise Broken("the checkpoint is not text") from bad
        text, blank, signatures = note.rpartition("\n\n")
        if not blank or not signatures.endswith("\n") or any(c < " " and c != "\n" for c in note):
            raise Broken("the checkpoint is not a signed note")
        signed = False
        for line in signatures[:-1].split("\n"):
            dash, _, rest = line.partition(" ")
            name, _, encoded = rest.partition(" ")
            signature = decode(encoded)
            if dash != "\u2014" or not is_name(name) or len(signature) < 5:
                raise Broken("the checkpoint has a malformed signature")
            if name != self.name or signature[:4] != self.id:
                continue
            try:
                self.public.verify(signature[4:], (text + "\n").encode())
            except InvalidSignature as bad:
                raise Broken("the checkpoint has a wrong signature") from bad
            signed = True
        if not signed:
            raise Broken("the checkpoint is not signed by this key")
        lines = text.split("\n")
        if len(lines) < 3 or "" in lines or lines[0] != self.name:
            raise Broken("the checkpoint is of another log, or malformed")
        size, root = lines[1], decode(lines[2])
        if not (size.isascii() and size.isdigit() and str(int(size)) == size) or len(root) != 32:
            raise Broken("the checkpoint is malformed")
        return int(size), root


def told_epoch(epoch, known):
    """Which epoch something is of, where that is not the known key's, or not the first."""
    if known and epoch < known.epoch:
        began = f"began epoch {known.epoch} or one between"
        return f" in epoch {epoch}; from the entry on that {began}, it is superseded"
    return "" if epoch == 1 else f" in epoch {epoch}"


def place(index, width):
    path = f"{index % 1000:03}"
    while index >= 1000:
        index //= 1000
        path = f"x{index % 1000:03}/{path}"
    return path if width == WIDTH else f"{path}.p/{width}"


def read(folder, path):
    try:
        return (folder / path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""


def check_bundle(folder, index, width):
    """The hashes and the bytes of the entries of a bundle, each compared with the tile of level 0."""
    bundle = read(folder, "tile/entries/" + place(index, width))
    tile = read(folder, "tile/0/" + place(index, width))
    hashes, entries, at = [], [], 0
    for number in range(width):
        seq = index * WIDTH + number + 1
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        if start > len(bundle) or at > len(bundle):
            raise Broken(f"entry {seq} is missing or cut off")
        entry = bundle[start:at]
        hashes.append(leaf_hash(entry))
        entries.append(entry)
        if tile[32 * number : 32 * number + 32] != hashes[-1]:
            raise Broken(f"entry {seq} does not have the hash in its tile")
    if at != len(bundle) or len(tile) != 32 * width:
        raise Broken(f"entry {seq} should be the last of its file")
    return hashes, entries


def check_levels(folder, roots):
    """Every tile above level 0, over the roots of the full tiles below."""
    level, span = 1, WIDTH
    while roots:
        above = []
        for index in range(0, len(roots), WIDTH):
            hashes = roots[index : index + WIDTH]
            found = read(folder, f"tile/{level}/" + place(index // WIDTH, len(hashes)))
            if found != b"".join(hashes):
                same = 0
                while same < len(hashes) - 1 and found[32 * same : 32 * same + 32] == hashes[same]:
                    same += 1
                raise Broken(f"entry {(index + same) * span + 1} begins a stretch with another hash at level {level}")
            if len(hashes) == WIDTH:
                above.append(tree_hash(hashes))
        roots, level, span = above, level + 1, span * WIDTH


def check_order(key, seq, entry):
    try:
        entry = json.loads(entry)
        stands = entry["seq"] == seq and entry["organization"] == key.name.split("/")[-2]
    except (ValueError, KeyError, IndexError, TypeError) as bad:
        raise Broken(f"entry {seq} is not an entry") from bad
    if not stands:
        raise Broken(f"entry {seq} says that it belongs elsewhere")
    return entry


def epoch_after(entry):
    """The epoch that an entry leaves its organization in; none when it does not say."""
    for change in reversed(entry.get("changes", [])):
        if change["kind"] == "organization" and change["after"]:
            return change["after"].get("epoch")
    return None


def verify_folder(folder, known):
    key = Key(read(folder, "key").decode(errors="replace").removesuffix("\n"))
    if known and not known.is_same_log(key):
        raise Broken("the key is not the one that you know")
    size, root = key.open(read(folder, "checkpoint"))
    hashes, roots, entries = [], [], []
    for index in range((size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - index * WIDTH)
        found, bundle = check_bundle(folder, index, width)
        hashes += found
        entries += bundle
        if width == WIDTH:
            roots.append(tree_hash(found))
    check_levels(folder, roots)
    if tree_hash(hashes) != root:
        raise Broken("the root is not the one that was signed")
    epoch = 1
    for seq, entry in enumerate(entries, 1):
        epoch = epoch_after(check_order(key, seq, entry)) or epoch
    if epoch != key.epoch:
        raise Broken(f"the checkpoint is of epoch {key.epoch}, but the entries end in epoch {epoch}")
    return f"{size} entries verified{told_epoch(epoch, known)}"


def verify_proof(file, key):
    if not key:
        raise Broken("a proof holds no key: give it with --key")
    head, blank, checkpoint = file.read_bytes().partition(b"\n\n")
    lines = head.decode(errors="replace").split("\n")
    in_form = blank and len(lines) > 2 and lines[0] == "c2sp.org/tlog-proof@v1"
    if not in_form or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise Broken("this is not a proof with its entry")
    entry, number = decode(lines[1][6:]), lines[2][6:]
    if not (number.isascii() and number.isdigit() and str(int(number)) == number):
        raise Broken("the index is malformed")
    index, path = int(number), [decode(line) for line in lines[3:]]
    known, origin = key, checkpoint.partition(b"\n")[0].decode(errors="replace")
    log, _, number = origin.rpartition("/")
    if log == known.log and number.isascii() and number.isdigit() and number[0] != "0":
        key = known.in_epoch(number)
    size, root = key.open(checkpoint)
    if index >= size:
        raise Broken("the checkpoint does not cover the entry")
    fn, sn, node = index, size - 1, leaf_hash(entry)
    for beside in path:
        if sn == 0 or len(beside) != 32:
            raise Broken("the entry is not in the log")
        if fn & 1 or fn == sn:
            node = node_hash(beside, node)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, beside)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or node != root:
        raise Broken("the entry is not in the log")
    check_order(key, index + 1, entry)
    return f"entry {index + 1} verified{told_epoch(key.epoch, known)}"


def main():
    parser = argparse.ArgumentParser(description="Verifies exported trails and proofs of entries.")
    parser.add_argument("--key", type=pathlib.Path, help="the file with the key that you know to be the trail's")
    parser.add_argument("exported", type=pathlib.Path, nargs="+")
    asked = parser.parse_args()
    known = Key(asked.key.read_text().removesuffix("\n")) if asked.key else None
    good = True
    for path in asked.exported:
        try:
            told = verify_folder(path, known) if path.is_dir() else verify_proof(path, known)
        except Broken as broken:
            told, good = str(broken), False
        print(f"{path}: {told}")
    sys.exit(0 if good else 1)


main()
