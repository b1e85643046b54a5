//! What parties do at a node over gRPC: open records, ask research queries; and what its own people do meanwhile.

mod backup;
mod door;
mod people;
mod research;
