"""An evidence pack, read by the implementation of DSSE and in-toto's keys that others use.

Arguments: the program, an empty folder, and a scenario. Everything that the envelope says is
checked here with securesystemslib and the standard library alone.
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import zipfile

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

program, folder, scenario = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]


def assize(*words, codes=(0,)):
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True)
    assert done.returncode in codes, (words, done.returncode, done.stderr)


def key(name):
    public = load_pem_public_key((folder / f"{name}.pub").read_bytes())
    return SSlibKey.from_crypto(public)


def refused(envelope, *keys, threshold=1):
    try:
        envelope.verify(list(keys), threshold)
    except VerificationError:
        return
    raise AssertionError("it was not refused")


for name in ("supplier", "witness"):
    assize("evidence", "keygen", "--out", folder / name)
pack = folder / "pack.zip"
# Whatever the verdict is: the pack is written.
assize("simulate", scenario, "--evidence", pack, "--sign-key", folder / "supplier", codes=(0, 1, 3))
assize("evidence", "sign", pack, "--role", "witness", "--key", folder / "witness")
assize("evidence", "verify", pack, "--key", folder / "supplier.pub", "--key", folder / "witness.pub")

files = zipfile.ZipFile(pack)
assert files.testzip() is None
for number, name in enumerate(("supplier", "witness"), 1):
    other = "witness" if name == "supplier" else "supplier"
    text = files.read(f"attestations/{number}-{name}.dsse.json")
    envelope = Envelope.from_dict(json.loads(text))
    # The key's own name is the one that the library derives.
    accepted = envelope.verify([key(name)], 1)
    assert list(accepted) == [key(name).keyid], accepted
    refused(envelope, key(other))
    altered = Envelope.from_dict(json.loads(text))
    altered.payload = altered.payload.replace(b"supplier", b"customer", 1)
    altered.payload += b" "
    refused(altered, key(name))
    assert envelope.payload_type == "application/vnd.in-toto+json"
    statement = json.loads(envelope.payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicate"] == {"role": name, "run": "complete"}
    for subject in statement["subject"]:
        digest = hashlib.sha256(files.read(subject["name"])).hexdigest()
        assert subject["digest"] == {"sha256": digest}, subject
    subjects = {subject["name"] for subject in statement["subject"]}
    assert {"SHA256SUMS", "verdict.json", "run.json"} <= subjects
print("securesystemslib: two envelopes verified, every subject compared")
