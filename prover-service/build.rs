//! Compiles the gRPC definitions, in Rust alone (no protoc), and keeps their descriptors for reflection.

use std::path::PathBuf;

use prost::Message;

const FILES: [&str; 7] = ["call", "verifier", "prover", "ledger", "records", "research", "operator"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = FILES.map(|name| format!("vouchsafe/v1/{name}.proto"));
    let descriptors = protox::compile(files, ["proto"])?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(out.join("vouchsafe.v1.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
