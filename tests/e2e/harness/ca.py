# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of a test's own, in the manner of the IB1 Directory: server certificates,
client certificates with an application's URL, a member and roles, and revocation lists.

    ca = Authority(tmp_path)
    server = ca.server()
    client = ca.client("https://directory.example/app/1", member=..., roles=[...])
    context = ca.context(client)          # for whoever calls
    ca.write_crl(revoked=[client])
"""

import base64
import datetime
import hashlib
import ipaddress
import pathlib
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROLES = x509.ObjectIdentifier("1.3.6.1.4.1.62329.1.1")
MEMBER = x509.ObjectIdentifier("1.3.6.1.4.1.62329.1.3")
ECDSA_SHA256 = bytes.fromhex("06082a8648ce3d040302")  # the OID
UTC = datetime.timezone.utc
# Whatever a test's clock says; tests about dates give their own.
FROM = datetime.datetime(2020, 1, 1, tzinfo=UTC)
UNTIL = datetime.datetime(2049, 12, 31, tzinfo=UTC)


def der(tag, content):
    """One DER element."""
    size = len(content)
    if size < 0x80:
        head = bytes([size])
    else:
        octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
        head = bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + head + content


def utf8(text):
    return der(0x0C, text if isinstance(text, bytes) else text.encode())


def roles_value(roles):
    return der(0x30, b"".join(map(utf8, roles)))


def make_key(kind="ec"):
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def hash_for(key):
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


class Pair:
    """A certificate with its key, on disk: `certificate` and `key` are paths."""

    def __init__(self, folder, name, x509_certificate, key, chain=()):
        self.x509, self.private = x509_certificate, key
        self.certificate = pathlib.Path(folder) / f"{name}.pem"
        self.key = pathlib.Path(folder) / f"{name}.key"
        pem = serialization.Encoding.PEM
        self.pem = x509_certificate.public_bytes(pem)
        self.der = x509_certificate.public_bytes(serialization.Encoding.DER)
        self.certificate.write_bytes(self.pem + b"".join(c.public_bytes(pem) for c in chain))
        self.key.touch(mode=0o600)
        self.key.write_bytes(
            key.private_bytes(
                pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    @property
    def sha256(self):
        return hashlib.sha256(self.der).hexdigest()

    @property
    def client_cert(self):
        """As a proxy hands it on (RFC 9440)."""
        return f":{base64.b64encode(self.der).decode()}:"


class Authority:
    def __init__(
        self, folder, name="consentd test authority", parent=None, key="ec", until=UNTIL
    ):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name, self.parent, self.until = name, parent, until
        self.key = make_key(key)
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._file = name.replace(" ", "-")
        self._count = 0
        self.x509 = self._root()
        self.certificate = self.folder / f"{self._file}.pem"
        self.certificate.write_bytes(self.x509.public_bytes(serialization.Encoding.PEM))

    def _root(self):
        issuer = self.parent or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(issuer.subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(FROM)
            .not_valid_after(self.until)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False
            )
        )
        return builder.sign(issuer.key, hash_for(issuer.key))

    def issue(
        self,
        name,
        *,
        common_name=None,
        names=(),
        usage=(ExtendedKeyUsageOID.CLIENT_AUTH,),
        signs=True,
        extensions=(),
        key="ec",
        since=FROM,
        until=UNTIL,
        subject=None,
    ):
        """Any end-entity certificate. `extensions` are (oid, DER) pairs; `names` GeneralNames."""
        private = make_key(key) if isinstance(key, str) else key
        self._count += 1
        if subject is None:
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name or name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                _usage(digital_signature=signs, key_encipherment=not signs), critical=True
            )
        )
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        for oid, value in extensions:
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
        made = builder.sign(self.key, hash_for(self.key))
        chain = (self.x509,) if self.parent else ()
        return Pair(self.folder, f"{self._file}-{self._count}-{name}", made, private, chain)

    def server(self, names=None, **more):
        names = names or [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
        return self.issue("server", names=names, usage=(ExtendedKeyUsageOID.SERVER_AUTH,), **more)

    def client(self, application=None, member=None, roles=None, extensions=(), **more):
        """A client certificate of the Directory; what is None is left out."""
        extensions = list(extensions)
        if member is not None:
            extensions.append((MEMBER, utf8(member)))
        if roles is not None:
            extensions.append((ROLES, roles_value(roles)))
        names = more.pop("names", None)
        if names is None:
            names = [] if application is None else [x509.UniformResourceIdentifier(application)]
        return self.issue("client", names=names, extensions=extensions, **more)

    def with_bytes(self, pair, old, new):
        """The certificate with other bytes of the same length in place of old, signed anew: for
        what the library refuses to write."""
        body = pair.x509.tbs_certificate_bytes
        assert body.count(old) == 1 and len(old) == len(new)
        body = body.replace(old, new)
        signature = self.key.sign(body, ec.ECDSA(hashes.SHA256()))
        pair.der = der(0x30, body + der(0x30, ECDSA_SHA256) + der(0x03, b"\0" + signature))
        lines = base64.encodebytes(pair.der).decode()
        pair.pem = f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n".encode()
        pair.certificate.write_bytes(pair.pem)
        return pair

    def write_crl(self, revoked=(), since=FROM, until=UNTIL, file=None):
        """The list that revokes these pairs; its path, the same each time."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.subject)
            .last_update(since)
            .next_update(until)
        )
        for pair in revoked:
            entry = (
                x509.RevokedCertificateBuilder()
                .serial_number(pair.x509.serial_number)
                .revocation_date(since)
                .build()
            )
            builder = builder.add_revoked_certificate(entry)
        made = builder.sign(self.key, hash_for(self.key))
        path = file or self.folder / f"{self._file}.crl"
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return path

    def context(self, pair=None, alpn=("http/1.1",), least=None, most=None):
        """For a client that believes this authority and shows `pair`."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if pair is not None:
            if getattr(pair.private, "key_size", 4096) == 1024:
                context.set_ciphers("DEFAULT@SECLEVEL=0")  # the client's own scruples
            context.load_cert_chain(pair.certificate, pair.key)
        if least is not None:
            context.minimum_version = least
        if most is not None:
            context.maximum_version = most
        return context


def _usage(**given):
    flags = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**{**flags, **given})


def listener(pair, kind="public", address="127.0.0.1:0", **more):
    """An element of `listeners`."""
    return {
        "address": address,
        "kind": kind,
        "certFile": str(pair.certificate),
        "keyFile": str(pair.key),
        **{name: str(value) if isinstance(value, pathlib.Path) else value
           for name, value in more.items()},
    }
