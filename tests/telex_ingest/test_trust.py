"""Files of TLS that are good, and what is said of those that are not."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from telex_ingest.trust import TrustError, trust


def test_one_authority_alone_is_trusted_when_one_is_named(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    mill = authority.issue_cert("mill.example")
    mill.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "mill.pem"))
    context = trust(tmp_path / "ca.pem", tmp_path / "mill.pem")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


def test_a_file_that_is_missing_or_nonsense_is_named_with_its_cure(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("-----BEGIN NOTHING-----")
    for authority in (tmp_path / "missing.pem", nonsense):
        with pytest.raises(TrustError, match="--tls-ca") as caught:
            trust(authority)
        assert str(authority) in str(caught.value)
    for certificate in (tmp_path / "missing.pem", nonsense):
        with pytest.raises(TrustError, match="--tls-cert"):
            trust(None, certificate)


def test_a_key_that_is_not_the_certificate_s_or_is_locked_is_refused_at_once(tmp_path: Path) -> None:
    authority = trustme.CA()
    mill, other = authority.issue_cert("mill.example"), authority.issue_cert("other.example")
    mill.cert_chain_pems[0].write_to_path(str(tmp_path / "mill.pem"))
    other.private_key_pem.write_to_path(str(tmp_path / "other.key"))
    with pytest.raises(TrustError, match="its own key"):
        trust(None, tmp_path / "mill.pem", tmp_path / "other.key")
