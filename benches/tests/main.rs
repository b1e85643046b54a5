//! What holds the house together.

mod tidy;
