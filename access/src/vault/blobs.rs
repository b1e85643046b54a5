//! Blobs: ciphertext by its SHA-256, on an object store: a folder by default, S3-compatible storage later.
//!
//! ```text
//! name    first two hexadecimal digits of the hash / all 64
//! ```
//!
//! What is put is durable when that returns, and what is got has the hash it was asked for. A blob that is missing,
//! cut, damaged or another one is told apart and named.

use std::path::Path;
use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as BlobPath;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use sha2::{Digest, Sha256};

/// No record's parts are larger; what is, was not written by us and is not read into memory.
const BLOB_BYTES_MAX: u64 = 64 << 20;

/// The SHA-256 of a blob.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId([u8; 32]);

impl BlobId {
    pub(super) fn of(bytes: &[u8]) -> BlobId {
        BlobId(Sha256::digest(bytes).into())
    }

    pub(super) fn from_bytes(bytes: [u8; 32]) -> BlobId {
        BlobId(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn path(&self) -> BlobPath {
        let name = self.to_string();
        BlobPath::from_iter([&name[..2], &name])
    }

    fn from_path(path: &BlobPath) -> Option<BlobId> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(path.filename()?, &mut bytes).ok()?;
        Some(BlobId(bytes)).filter(|id| id.path() == *path)
    }
}

impl std::fmt::Display for BlobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for BlobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobId({self})")
    }
}

/// A blob could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// There is none.
    #[error("blob {0} is missing: restore it from a backup")]
    Missing(BlobId),
    /// There is one, but its bytes are not those that were stored.
    #[error("blob {0} is not what was stored: cut, damaged or swapped; restore it from a backup")]
    Damaged(BlobId),
    /// The object store failed.
    #[error("the blob store failed on blob {0}")]
    Store(BlobId, #[source] object_store::Error),
    /// The object store could not be opened or listed.
    #[error("the blob store failed")]
    Whole(#[source] object_store::Error),
}

/// A folder as a blob store, every write synced.
pub fn local_blobs(dir: &Path) -> Result<Arc<dyn ObjectStore>, BlobError> {
    let store = LocalFileSystem::new_with_prefix(dir).map_err(BlobError::Whole)?;
    Ok(Arc::new(store.with_fsync(true).with_automatic_cleanup(true)))
}

pub(super) struct Blobs(pub(super) Arc<dyn ObjectStore>);

impl Blobs {
    /// Stores bytes under their hash. The same bytes twice are fine; other bytes under that name are replaced.
    pub(super) async fn put(&self, id: BlobId, bytes: Vec<u8>) -> Result<(), BlobError> {
        let payload = PutPayload::from(bytes);
        match self.put_as(id, payload.clone(), PutMode::Create).await {
            Err(object_store::Error::AlreadyExists { .. }) => match self.get(id).await {
                Err(BlobError::Damaged(_)) => {
                    self.put_as(id, payload, PutMode::Overwrite).await.map_err(|e| BlobError::Store(id, e))
                }
                other => other.map(|_| ()),
            },
            other => other.map_err(|e| BlobError::Store(id, e)),
        }
    }

    async fn put_as(&self, id: BlobId, payload: PutPayload, mode: PutMode) -> Result<(), object_store::Error> {
        let options = PutOptions { mode, ..PutOptions::default() };
        self.0.put_opts(&id.path(), payload, options).await.map(|_| ())
    }

    /// Reads the bytes of this hash.
    pub(super) async fn get(&self, id: BlobId) -> Result<Vec<u8>, BlobError> {
        let fail = |e| match e {
            object_store::Error::NotFound { .. } => BlobError::Missing(id),
            other => BlobError::Store(id, other),
        };
        let found = self.0.get(&id.path()).await.map_err(fail)?;
        if found.meta.size > BLOB_BYTES_MAX {
            return Err(BlobError::Damaged(id));
        }
        let bytes = found.bytes().await.map_err(fail)?;
        if BlobId::of(&bytes) == id { Ok(bytes.into()) } else { Err(BlobError::Damaged(id)) }
    }

    /// All blobs there are.
    pub(super) async fn list(&self) -> Result<Vec<BlobId>, BlobError> {
        let found: Vec<_> = self.0.list(None).try_collect().await.map_err(BlobError::Whole)?;
        Ok(found.iter().filter_map(|meta| BlobId::from_path(&meta.location)).collect())
    }
}
