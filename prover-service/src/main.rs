//! The `vouch` program: everything is in the library.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    vouchsafe_prover_service::cli::run()
}
