//! `vouch backup` and `vouch restore`: copies of an institution's folder, of a running node too.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Context;
use super::failure::{Failure, Outcome};
use super::serve::operate;
use crate::backup;
use crate::operator::Command;

/// Arguments of `vouch backup`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The institution's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The folder of the backup, which is made.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Arguments of `vouch restore`.
#[derive(clap::Args)]
pub(super) struct RestoreArgs {
    /// The folder of the backup.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Where the institution's folder shall be.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome {
    // a running node has another working directory
    let to = std::path::absolute(&args.to).map_err(Failure::usage)?;
    let said = operate(context, &args.data, &Command::Backup { to }).await?;
    context.say(&said, || format!("Backed up, up to block {} or later: {}", said["height"], args.to.display()));
    Ok(())
}

pub(super) fn restore(context: &Context, args: RestoreArgs) -> Outcome {
    let manifest = backup::restore(&args.from, &args.data).map_err(failed)?;
    let said = json!({ "data": args.data, "height": manifest.height, "made_at": manifest.made_at });
    context.say(&said, || {
        let path: &Path = &args.data;
        format!(
            "Restored {} as it was at block {} or a little later. Whatever was acknowledged after that is gone.",
            path.display(),
            manifest.height
        )
    });
    Ok(())
}

fn failed(error: backup::BackupError) -> Failure {
    use backup::BackupError as E;
    match &error {
        E::Exists(_) | E::NotABackup(_) => Failure::usage(error),
        E::Manifest(..) | E::Changed(_) => Failure::refused(error),
        _ => Failure::ours(error),
    }
}
