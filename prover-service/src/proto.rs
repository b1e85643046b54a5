//! The messages, clients and servers of gRPC package `vouchsafe.v1`, generated from `proto/vouchsafe/v1/`.
//!
//! What a message holds is unchecked: each service turns it into types of ours at once.
#![allow(missing_docs, clippy::all)]

tonic::include_proto!("vouchsafe.v1");

/// The definitions, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/vouchsafe.v1.bin"));
