//! `vouch dataset`, `vouch project`: what may be researched. `vouch query`: a researcher's noisy counts.

use std::path::PathBuf;

use clap::Subcommand;
use rand::rngs::OsRng;
use serde_json::json;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_ledger::clock::{Clock, SystemClock};
use vouchsafe_ledger_types::card::PartyName;
use vouchsafe_ledger_types::ids::{ChainId, DataSetName, ProjectId};
use vouchsafe_ledger_types::units::{BlockTime, MicroEpsilon};

use super::Context;
use super::ask::RemoteArgs;
use super::failure::{Failure, Outcome};
use super::serve::operate;
use crate::calendar;
use crate::client::{Party, QueryWish};
use crate::operator::{Command, DataSetOrder, ProjectOrder};

/// Arguments of `vouch dataset`.
#[derive(clap::Args)]
pub(super) struct DataSetArgs {
    #[command(subcommand)]
    verb: DataSetVerb,
}

#[derive(Subcommand)]
enum DataSetVerb {
    /// Put all records of some schemas under one privacy budget, for good.
    Open {
        /// The institution's folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Its name.
        #[arg(long)]
        name: DataSetName,
        /// A schema; repeat for several. A schema is in one data set only.
        #[arg(long = "schema", value_name = "NAME", required = true)]
        schemas: Vec<String>,
        /// Its budget: millionths of ε, over all projects and for good.
        #[arg(long, value_name = "MICRO_EPSILON")]
        budget: u64,
    },
}

/// Arguments of `vouch project`.
#[derive(clap::Args)]
pub(super) struct ProjectArgs {
    #[command(subcommand)]
    verb: ProjectVerb,
}

#[derive(Subcommand)]
enum ProjectVerb {
    /// Let a researcher ask of a data set, for a purpose, until a time.
    Open {
        /// The institution's folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Its title; sealed here, blinded on the ledger.
        #[arg(long)]
        title: String,
        /// Who asks: the name of a party that is admitted as a researcher.
        #[arg(long, value_name = "NAME")]
        researcher: PartyName,
        /// The data set, by name.
        #[arg(long, value_name = "NAME")]
        dataset: DataSetName,
        /// What for: HRESCH or PUBHLTH.
        #[arg(long, value_name = "CODE", default_value = "HRESCH")]
        purpose: String,
        /// Below how many subjects, by the noisy count, nothing is told.
        #[arg(long, value_name = "K", default_value_t = 10)]
        threshold: u32,
        /// What it may spend: millionths of ε.
        #[arg(long, value_name = "MICRO_EPSILON")]
        budget: u64,
        /// Until when: a day or an RFC 3339 time.
        #[arg(long, value_name = "TIME")]
        until: String,
    },
}

/// Arguments of `vouch query`.
#[derive(clap::Args)]
pub(super) struct QueryArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    /// The researcher's own file.
    #[arg(long, value_name = "FILE")]
    party: PathBuf,
    /// The ledger's name.
    #[arg(long)]
    chain: ChainId,
    /// The project's id.
    #[arg(long)]
    project: ProjectId,
    /// The schema of the records.
    #[arg(long, value_name = "NAME")]
    schema: String,
    /// Which of them: CEL over de-identified fields; all if left out.
    #[arg(long = "where", value_name = "EXPR", default_value = "")]
    cohort: String,
    /// Count by this field.
    #[arg(long, value_name = "FIELD")]
    histogram: Option<String>,
    /// A bin, for a code whose schema lists no values; repeat for several.
    #[arg(long = "bin", value_name = "CODE", requires = "histogram")]
    bins: Vec<String>,
    /// What to pay: millionths of ε. More buys less noise.
    #[arg(long, value_name = "MICRO_EPSILON")]
    pay: u64,
}

pub(super) async fn data_set(context: &Context, args: DataSetArgs) -> Outcome {
    let DataSetVerb::Open { data, name, schemas, budget } = args.verb;
    let order = DataSetOrder { name, schemas, budget: MicroEpsilon::new(budget) };
    let said = operate(context, &data, &Command::OpenDataSet(order)).await?;
    context.say(&said, || "Opened. Its budget is the same for all projects, and does not grow.".to_owned());
    Ok(())
}

pub(super) async fn project(context: &Context, args: ProjectArgs) -> Outcome {
    let ProjectVerb::Open { data, title, researcher, dataset, purpose, threshold, budget, until } = args.verb;
    let until = calendar::parse_instant(&until).and_then(BlockTime::from_unix);
    let until =
        until.ok_or_else(|| Failure::usage_text("--until is a day or an RFC 3339 time, such as 2026-12-31".into()))?;
    let budget = MicroEpsilon::new(budget);
    let order = ProjectOrder { title, researcher, purpose, data_set: dataset, threshold, budget, until };
    let said = operate(context, &data, &Command::OpenProject(order)).await?;
    context.say(&said, || format!("Opened: {}", said["project"].as_str().unwrap_or_default()));
    Ok(())
}

pub(super) async fn query(context: &Context, args: QueryArgs) -> Outcome {
    let passphrase = context.passphrase(false)?;
    let secrets = PartySecrets::open(&args.party, &passphrase).map_err(Failure::usage)?;
    let party = Party { secrets: &secrets, chain: args.chain };
    let channel = args.remote.remote().connect().await.map_err(Failure::calling)?;
    let wish = QueryWish {
        project: args.project,
        schema: args.schema,
        cohort: args.cohort,
        histogram: args.histogram.map(|field| (field, args.bins)),
        pay: MicroEpsilon::new(args.pay),
    };
    let answer = party.query(&channel, &wish, SystemClock.now(), &mut OsRng).await.map_err(Failure::calling)?;
    let bins: Vec<_> = answer
        .bins
        .iter()
        .map(|bin| json!({ "name": bin.name, "count": bin.count, "suppressed": bin.suppressed }))
        .collect();
    let said = json!({
        "bins": bins, "height": answer.height, "app_hash": hex::encode(&answer.app_hash), "noise": answer.noise,
        "scale": answer.scale, "paid_micro_epsilon": answer.micro_epsilon, "remaining": answer.remaining,
        "project_remaining": answer.project_remaining, "stored": answer.stored,
    });
    context.say(&said, || {
        let mut lines: Vec<_> = answer.bins.iter().map(|bin| bin_line(&bin.name, bin.count, bin.suppressed)).collect();
        lines.push(format!(
            "as of block {}, {} of scale {}; paid {} µε, left {} of the data set and {} of the project",
            answer.height, answer.noise, answer.scale, answer.micro_epsilon, answer.remaining, answer.project_remaining
        ));
        lines.join("\n")
    });
    Ok(())
}

fn bin_line(name: &str, count: i64, suppressed: bool) -> String {
    let name = if name.is_empty() { "subjects" } else { name };
    if suppressed { format!("{name}: too few to tell") } else { format!("{name}: about {count}") }
}
