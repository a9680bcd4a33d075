#!/usr/bin/env python3
"""Verifies an audit log by docs/audit-log.md alone: hashes from hashlib, signatures by openssl."""
import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves):
    """RFC 9162, section 2.1.1: a level at a time, an odd hash goes up as it is."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    while len(leaves) > 1:
        pairs = [node(a, b) for a, b in zip(leaves[::2], leaves[1::2])]
        leaves = pairs + leaves[len(pairs) * 2:]
    return leaves[0]


def number_path(number):
    groups = f"{number % 1000:03}"
    while number >= 1000:
        number //= 1000
        groups = f"x{number % 1000:03}/{groups}"
    return groups


def bundle_numbers(log):
    """Of the bundles that are there, whatever else is: 005, or x001/x234/067."""
    entries = log / "tile/entries"
    found = set()
    for path in [*entries.rglob("[0-9][0-9][0-9]"), *entries.rglob("[0-9][0-9][0-9].zst")]:
        groups = path.with_suffix("").relative_to(entries).parts
        if path.is_file() and all(len(group) == 4 and group[0] == "x" for group in groups[:-1]):
            found.add(int("".join(group.lstrip("x") for group in groups)))
    return sorted(found)


def bundle_of(log, number):
    """The records of a bundle."""
    path = log / "tile/entries" / number_path(number)
    packed = path.with_name(path.name + ".zst")
    if path.exists():
        data = path.read_bytes()
    else:
        data = subprocess.run(["zstd", "-dcq", packed], check=True, capture_output=True).stdout
    begin, entries = 0, []
    while data[begin:].strip(b"\0"):  # zeros are place for the next records
        end = begin + 2 + int.from_bytes(data[begin:begin + 2], "big")
        assert begin + 2 < end <= len(data), f"{path}: unfinished tail"
        entries.append(data[begin + 2:end])
        begin = end
    return entries


def entries_of(log):
    """The index of the first record that is there, and the records. A bundle before the last one has 256."""
    numbers = bundle_numbers(log)
    first, entries = numbers[0], []
    if (log / "pruned").exists():  # what it says is checked below
        record = int((log / "pruned").read_text())
        statement = json.loads(bundle_of(log, record // 256)[record % 256])
        first = max(first, statement["data"]["before"] // 256)
    for number in range(first, numbers[-1] + 1):
        assert len(entries) == (number - first) * 256, f"bundle {number}: the one before it is not whole"
        entries += bundle_of(log, number)
    return first * 256, entries


def pruned_leaves(log, first):
    """The hashes of the records before the first one that is there, from the lowest tiles."""
    leaves = []
    for number in range(first // 256):
        tile = (log / "tile/0" / number_path(number)).read_bytes()
        assert len(tile) == 256 * 32
        leaves += [tile[i:i + 32] for i in range(0, len(tile), 32)]
    return leaves


def check_pruned(first, records, leaves):
    """A record of the log says that what is missing was pruned, and over what."""
    statements = [record["data"] for record in map(json.loads, records) if record["event"] == "log.pruned"]
    assert first == 0 or any(said["before"] >= first and said["before"] % 256 == 0 and
                             bytes.fromhex(said["root"]) == root_of(leaves[:said["before"]])
                             for said in statements), f"records before {first} are missing"


def check_tiles(log, leaves, durable):
    """Every full hash tile is that of the records; one over more than `durable` records may be missing, or its end."""
    level, hashes = 0, leaves
    while hashes:
        full = len(hashes) // 256
        for number in range(full):
            tile = b"".join(hashes[number * 256:(number + 1) * 256])
            path = log / "tile" / str(level) / number_path(number)
            found = path.read_bytes() if path.exists() else b""
            lost = (number + 1) * 256 ** (level + 1) > durable and tile.startswith(found.rstrip(b"\0"))
            assert found == tile or lost, f"{path}: not the tile of the records"
        hashes = [root_of(hashes[n * 256:(n + 1) * 256]) for n in range(full)]
        level += 1


def parsed_key(line):
    """Name, id and public key of the line of a key."""
    name, key_id, encoded = line.split(b"+", 2)
    key_bytes = base64.b64decode(encoded)
    key_id = bytes.fromhex(key_id.decode())
    assert key_id == hashlib.sha256(name + b"\n" + key_bytes).digest()[:4]
    return name, key_id, key_bytes[1:]


def keys_of(log):
    """The largest size that each key of the log signs, and the key. Each change is signed by the key before it and
    by the one that it introduces."""
    present = (log / "key.pub").read_bytes().rstrip(b"\n")
    if not (log / "keys").exists():
        return [(None, parsed_key(present))]
    first, *rest = (log / "keys").read_bytes().split(b"\n\n")
    keys, key = [], parsed_key(first)
    assert rest.pop() == b""
    for text, signatures in zip(rest[::2], rest[1::2]):
        by_old, by_new = signatures.split(b"\n")
        *_, introduced = text.split(b"\n")
        assert introduced.startswith(b"next-key ")
        size, _ = signed_checkpoint(text + b"\n\n" + by_old + b"\n", *key)
        keys.append((size, key))
        key = parsed_key(introduced[len(b"next-key "):])
        assert key[0] == keys[0][1][0]
        signed_checkpoint(text + b"\n\n" + by_new + b"\n", *key)
    assert parsed_key(present) == key
    return keys + [(None, key)]


def signed_checkpoint(note, name, key_id, public_key):
    """The size and root of a note, after openssl has accepted its signature."""
    body, signature_line = note.split(b"\n\n")
    body += b"\n"
    origin, size, root = body.split(b"\n")[:3]
    dash, signer, encoded = signature_line.rstrip(b"\n").split(b" ")
    signature = base64.b64decode(encoded)
    assert origin == signer == name and dash == "\u2014".encode() and signature[:4] == key_id
    with tempfile.TemporaryDirectory() as folder:
        files = {"body": body, "sig": signature[4:],
                 "pub": bytes.fromhex("302a300506032b6570032100") + public_key}
        for file, content in files.items():
            pathlib.Path(folder, file).write_bytes(content)
        subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "pub",
                        "-rawin", "-in", "body", "-sigfile", "sig"], cwd=folder, check=True)
    return int(size), base64.b64decode(root)


def main():
    log = pathlib.Path(sys.argv[1])
    keys = keys_of(log)

    first, records = entries_of(log)
    leaves = pruned_leaves(log, first) + [hashlib.sha256(b"\x00" + record).digest() for record in records]
    for index, line in enumerate(records, first):
        record = json.loads(line)
        assert record["index"] == index
        assert record["previous"] == (leaves[index - 1].hex() if index > 0 else "")

    text = (log / "checkpoints").read_bytes().split(b"\n")
    notes = [b"\n".join(text[i:i + 5]) + b"\n" for i in range(0, len(text) - 1, 6)]
    assert notes[-1] == (log / "checkpoint").read_bytes()
    check_tiles(log, leaves, int(notes[-1].split(b"\n")[1]))
    signed = 0
    for note in notes + [(log / "head").read_bytes()]:
        claimed = int(note.split(b"\n")[1])
        key = next(key for last, key in keys if last is None or claimed <= last)
        size, root = signed_checkpoint(note, *key)
        assert root == root_of(leaves[:size]), f"root over {size} records"
        signed = max(signed, size)
    check_pruned(first, records[:signed - first], leaves)
    print(f"ok: {len(leaves)} records, {len(notes)} checkpoints")


main()
