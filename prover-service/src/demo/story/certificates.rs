//! The demo's certificates: one authority, a certificate for each node and for each who calls one.
//!
//! They live as long as the demo's folder. What a caller may do hangs on its signed calls, never on its certificate.

use std::io::Write;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::DemoError;

/// Who signs the certificates.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: PathBuf,
    ca_file: PathBuf,
}

/// A certificate and its key, in PEM.
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Authority {
    /// A new one, whose files go to this folder.
    pub(super) fn new(folder: &Path) -> Result<Authority, DemoError> {
        std::fs::create_dir_all(folder).map_err(DemoError::own)?;
        let key = KeyPair::generate().map_err(DemoError::own)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(DemoError::own)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "vouch demo");
        let pem = params.self_signed(&key).map_err(DemoError::own)?.pem();
        let ca_file = write(folder, "ca.pem", &pem)?;
        Ok(Authority { issuer: Issuer::new(params, key), folder: folder.to_owned(), ca_file })
    }

    /// Its own certificate.
    pub(super) fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// A certificate for these names, the first of which names the files.
    pub(super) fn sign(&self, names: &[&str]) -> Result<Files, DemoError> {
        let key = KeyPair::generate().map_err(DemoError::own)?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let stem = names.first().cloned().unwrap_or_default();
        let params = CertificateParams::new(names).map_err(DemoError::own)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(DemoError::own)?;
        Ok(Files {
            certificate: write(&self.folder, &format!("{stem}.pem"), &certificate.pem())?,
            key: write(&self.folder, &format!("{stem}.key"), &key.serialize_pem())?,
        })
    }
}

/// Writes a file that nobody else can read.
fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, DemoError> {
    let path = folder.join(name);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(DemoError::own)?;
    file.write_all(text.as_bytes()).map_err(DemoError::own)?;
    file.persist(&path).map_err(DemoError::own)?;
    Ok(path)
}
