//! Questions asked online: taken, decided, answered at their slot, and nothing seen but the answer.

mod asking;
mod classify;
mod desk;
mod full;
mod inbox;
mod oracle;
mod program;
mod refusals;
mod restart;
