//! What policies permit and deny.
