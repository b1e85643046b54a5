//! The one door: who gets in, who does not, what each crash leaves, and what a reader notices.

mod attacks;
mod chain;
mod clinic;
mod emergencies;
mod opening;
mod refusals;
mod thief;
