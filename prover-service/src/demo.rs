//! What the demo needs and nothing else does.

pub mod hospital;
