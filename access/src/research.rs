//! Research: noisy counts of subjects over de-identified fields, paid from a budget that the ledger keeps.
mod bins;
mod deidentify;
mod noise;
mod query;
mod shelf;
mod tally;
