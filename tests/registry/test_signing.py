"""Signatures with keys of one's own or by identity, and the policy that asks for them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nkpredict import Registry, load_bundle
from nkpredict.errors import BundleError, InputError
from nkpredict.registry import Identity, Keyless, registry_settings

pytest.importorskip("model_signing", reason="the extra signing is not installed")


def write_keys(folder: Path, name: str, password: bytes | None = None) -> tuple[Path, Path]:
    private = ec.generate_private_key(ec.SECP256R1())
    protection = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    paths = folder / f"{name}-private.pem", folder / f"{name}-public.pem"
    paths[0].write_bytes(private.private_bytes(pem, serialization.PrivateFormat.PKCS8, protection))
    paths[1].write_bytes(
        private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return paths


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> dict[str, tuple[Path, Path]]:
    folder = tmp_path_factory.mktemp("keys")
    return {
        "lab": write_keys(folder, "lab"),
        "stranger": write_keys(folder, "stranger"),
        "locked": write_keys(folder, "locked", b"open sesame"),
    }


@pytest.fixture
def own(bundle: Path, tmp_path: Path) -> Path:
    shutil.copytree(bundle, tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


def test_who_signed_is_told(own: Path, registry: Registry, keys) -> None:
    private, public = keys["lab"]
    registry.sign(own, private)
    assert registry.verify(own, [keys["stranger"][1], public]).signed_by == public
    load_bundle(own)
    with pytest.raises(BundleError, match="is not signed by"):
        registry.verify(own, [keys["stranger"][1]])


@pytest.mark.parametrize("damage", ["card.md", "bundle.sig", "none"])
def test_what_was_changed_since_is_refused(own: Path, registry: Registry, keys, damage) -> None:
    from tests.registry.hostile_bundles import hashes_set_right

    if damage != "none":
        registry.sign(own, keys["lab"][0])
        (own / damage).write_bytes((own / damage).read_bytes() + b" x")
    signature = (own / "bundle.sig").read_bytes() if (own / "bundle.sig").is_file() else b""
    (own / "bundle.sig").unlink(missing_ok=True)
    hashes_set_right(own)
    if signature:
        (own / "bundle.sig").write_bytes(signature)
    with pytest.raises(BundleError, match="is not signed"):
        registry.verify(own, [keys["lab"][1]])


@pytest.mark.slow
def test_only_signed_bundles_are_used_where_that_is_the_policy(
    own: Path, registry: Registry, keys, monkeypatch, tmp_path: Path
) -> None:
    private, public = keys["lab"]
    registry.register(own, "m")
    shipped = Path(__file__).parents[2] / "mlflow.yaml"
    (tmp_path / "work").mkdir()
    text = shipped.read_text().replace("signed_by: []", f"signed_by: ['{public}']")
    (tmp_path / "work" / "mlflow.yaml").write_text(text)
    monkeypatch.chdir(tmp_path / "work")
    store = Registry(tmp_path / "registry")
    for load in (lambda: load_bundle(own), lambda: store.load("m"), lambda: store.load(own)):
        with pytest.raises(BundleError, match="is not signed"):
            load()
    assert store.load("screen-prior").model.knowledge_only
    store.sign("m", private)
    assert store.load("m").metadata.registry_version == 1
    # what the environment says counts alone
    monkeypatch.setenv("NKPREDICT_SIGNED_BY", str(keys["stranger"][1]))
    with pytest.raises(BundleError, match="is not signed by"):
        Registry(tmp_path / "registry").load("m")


def test_a_folder_named_from_here_is_signed_like_any(
    own: Path, registry: Registry, keys, monkeypatch
) -> None:
    private, public = keys["lab"]
    monkeypatch.chdir(own.parent)
    registry.sign(own.name, private)
    for folder in (own.name, own):
        assert registry.verify(folder, [public]).signed_by == public


ADA = Identity("ada@lab.org", "https://accounts.google.com")


@pytest.fixture
def nobody_answers(monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError("nobody answers")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.create_connection", refuse)


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    """Write whom sigstore.dev trusts, as the library ships it."""
    sigstore = pytest.importorskip("sigstore", reason="model-signing brings it")
    (root,) = Path(sigstore.__file__).parent.glob("_store/*sigstore.dev/trusted_root.json")
    content = {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": json.loads(root.read_text()),
        "signingConfig": json.loads((root.parent / "signing_config.v0.2.json").read_text()),
    }
    (tmp_path / "trust.json").write_text(json.dumps(content))
    return tmp_path / "trust.json"


@pytest.mark.usefixtures("nobody_answers")
def test_without_a_network_nothing_is_signed_or_trusted(
    own: Path, registry: Registry, keys, trust: Path
) -> None:
    for how in (Keyless(), Keyless(trust=trust), Keyless(trust=trust, token="secret")):
        with pytest.raises(InputError, match="Sigstore could not be reached") as raised:
            registry.sign(own, how)
        assert "secret" not in f"{raised.value}{how!r}"
    assert {path.name for path in own.iterdir() if "bundle.sig" in path.name} == set()
    registry.sign(own, keys["lab"][0])
    with pytest.raises(InputError, match=r"ada@lab\.org of https.* is not known: Sigstore could"):
        registry.verify(own, [ADA])
    # a key that has signed it is enough
    assert registry.verify(own, [ADA, keys["lab"][1]]).signed_by == keys["lab"][1]


def test_a_key_is_not_the_identity_asked_for(
    own: Path, registry: Registry, keys, trust: Path
) -> None:
    registry.sign(own, keys["lab"][0])
    with pytest.raises(BundleError, match=r"is not signed by ada@lab\.org of https://accounts"):
        registry.verify(own, [Identity(ADA.name, ADA.issuer, trust)])
    for wrong, message in ((own / "card.md", "is no trust"), (own / "no.json", "There is no tr")):
        with pytest.raises(InputError, match=message):
            registry.verify(own, [Identity(ADA.name, ADA.issuer, wrong)])
        with pytest.raises(InputError, match=message):
            registry.sign(own, Keyless(trust=wrong))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{identity: ada@lab.org, issuer: 'https://accounts.google.com'}", ADA),
        ("{identity: ada@lab.org}", "each a text"),
        ("{identity: ada@lab.org, issuer: 3}", "each a text"),
        ("{identity: ada@lab.org, issuer: x, key: y}", "each a text"),
        ("3", "no list of public keys or identities"),
    ],
)
def test_the_policy_names_identities(
    own: Path, monkeypatch, tmp_path: Path, entry: str, expected
) -> None:
    text = (Path(__file__).parents[2] / "mlflow.yaml").read_text()
    (tmp_path / "mlflow.yaml").write_text(text.replace("signed_by: []", f"signed_by: [{entry}]"))
    monkeypatch.chdir(tmp_path)
    if isinstance(expected, str):
        with pytest.raises(InputError, match=expected):
            registry_settings()
        return
    assert registry_settings().signed_by == (expected,)
    with pytest.raises(
        BundleError, match=r"not signed, but only bundles signed by ada@lab\.org of"
    ):
        load_bundle(own)


def test_a_key_that_cannot_be_used_is_told_without_its_password(
    own: Path, registry: Registry, keys
) -> None:
    with pytest.raises(InputError, match="could not be signed") as raised:
        registry.sign(own, keys["locked"][0], "wrong horse")
    assert "wrong horse" not in str(raised.value)
    registry.sign(own, keys["locked"][0], "open sesame")
    registry.verify(own, [keys["locked"][1]])
    for key in (own / "card.md", own / "nothing.pem"):
        with pytest.raises(InputError, match=r"could not be signed|There is no private key"):
            registry.sign(own, key)
    assert {path.name for path in own.iterdir() if path.name.startswith(".")} == set()


def test_what_is_damaged_gets_no_signature(own: Path, registry: Registry, keys) -> None:
    (own / "model.json").write_text("{}")
    with pytest.raises(BundleError):
        registry.sign(own, keys["lab"][0])
    assert not (own / "bundle.sig").exists()
