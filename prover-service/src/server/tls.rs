//! TLS of the service: certificates from files, read once at the start (after a renewal: start again).
//!
//! rustls with ring, TLS 1.2 and 1.3. With a client CA each client must show a certificate of it, unless the
//! configuration says otherwise. There are no revocation lists: give clients certificates that end soon.

use std::path::{Path, PathBuf};

use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use crate::config::{ClientCertificate, Limits, TlsFiles};

/// Why there is no TLS. The fault is in the files or in their names.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{0} cannot be read")]
    Io(PathBuf, #[source] std::io::Error),
    /// A file holds no certificate.
    #[error("{0} holds no certificate in PEM form")]
    NoCertificate(PathBuf),
    /// A file holds no key.
    #[error("{0} holds no private key in PEM form")]
    NoKey(PathBuf),
    /// A secret key that others can read.
    #[error("{0} can be read by others: chmod 600 it")]
    KeyIsPublic(PathBuf),
}

/// Reads the files.
pub(super) fn tls(files: &TlsFiles, limits: &Limits) -> Result<ServerTlsConfig, TlsError> {
    let certificate = certificate(&files.certificate_file)?;
    let key = read(&files.key_file)?;
    is_private(&files.key_file)?;
    if !has(&key, "PRIVATE KEY-----") {
        return Err(TlsError::NoKey(files.key_file.clone()));
    }
    let config = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key)).timeout(limits.handshake());
    let Some(ca) = &files.client_ca_file else { return Ok(config) };
    let optional = files.client_certificate == ClientCertificate::Optional;
    let ca = Certificate::from_pem(self::certificate(ca)?);
    Ok(config.client_ca_root(ca).client_auth_optional(optional))
}

fn certificate(file: &Path) -> Result<Vec<u8>, TlsError> {
    let pem = read(file)?;
    // a file without any would be an empty list of roots, which fails later and says less
    if has(&pem, "BEGIN CERTIFICATE-----") { Ok(pem) } else { Err(TlsError::NoCertificate(file.to_owned())) }
}

fn has(pem: &[u8], words: &str) -> bool {
    pem.windows(words.len()).any(|window| window == words.as_bytes())
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|e| TlsError::Io(file.to_owned(), e))
}

#[cfg(unix)]
fn is_private(file: &Path) -> Result<(), TlsError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file).map_err(|e| TlsError::Io(file.to_owned(), e))?.permissions().mode();
    // a group may read it: that is how service managers hand keys on
    if mode & 0o007 == 0 { Ok(()) } else { Err(TlsError::KeyIsPublic(file.to_owned())) }
}

#[cfg(not(unix))]
fn is_private(_: &Path) -> Result<(), TlsError> {
    Ok(())
}
