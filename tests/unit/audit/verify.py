#!/usr/bin/env python3
"""Verifies an audit log by docs/audit-log.md alone: hashes from hashlib, signatures by openssl."""
import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile


def root_of(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def signed_checkpoint(note, name, key_id, public_key):
    """The size and root of a note, after openssl has accepted its signature."""
    body, signature_line = note.split(b"\n\n")
    body += b"\n"
    origin, size, root, _ = body.split(b"\n")
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
    name, key_id, encoded = (log / "key.pub").read_bytes().rstrip(b"\n").split(b"+", 2)
    key_bytes = base64.b64decode(encoded)
    key_id = bytes.fromhex(key_id.decode())
    assert key_id == hashlib.sha256(name + b"\n" + key_bytes).digest()[:4]

    lines = (log / "records.jsonl").read_bytes().split(b"\n")
    assert lines.pop() == b"", "unfinished tail"
    leaves = [hashlib.sha256(b"\x00" + line).digest() for line in lines]
    for index, line in enumerate(lines):
        record = json.loads(line)
        assert record["index"] == index
        assert record["previous"] == (leaves[index - 1].hex() if index > 0 else "")

    text = (log / "checkpoints").read_bytes().split(b"\n")
    notes = [b"\n".join(text[i:i + 5]) + b"\n" for i in range(0, len(text) - 1, 6)]
    assert notes[-1] == (log / "checkpoint").read_bytes()
    for note in notes + [(log / "head").read_bytes()]:
        size, root = signed_checkpoint(note, name, key_id, key_bytes[1:])
        assert root == root_of(leaves[:size]), f"root over {size} records"
    print(f"ok: {len(lines)} records, {len(notes)} checkpoints")


main()
