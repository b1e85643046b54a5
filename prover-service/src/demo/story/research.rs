//! Research: refused at the door, answered with noise at the desk, until the budget is spent.

use rand::rngs::OsRng;
use vouchsafe_ledger_types::ids::ProjectId;
use vouchsafe_ledger_types::units::MicroEpsilon;

use super::cast::{Cast, now};
use super::door::{Visit, tried, wish};
use super::{Attempt, DemoError, Told, id_in};
use crate::client::{Bin, ClientError, QueryResponse, QueryWish};
use crate::demo::questions::Chosen;
use crate::operator::{Command, DataSetOrder, ProjectOrder};

/// The data set's budget: three answers, whoever asks.
const DATA_SET_BUDGET: MicroEpsilon = MicroEpsilon::new(1_500_000);
/// A project's budget: two answers.
const PROJECT_BUDGET: MicroEpsilon = MicroEpsilon::new(1_000_000);
/// What an answer costs.
const PAY: MicroEpsilon = MicroEpsilon::new(500_000);
const THRESHOLD: u32 = 5;
const MONTH_SECONDS: u64 = 30 * 86_400;

/// A researcher is refused the record, and counts.
pub(super) async fn counts_instead_of_records(
    cast: &Cast,
    chosen: &Chosen,
    visit: &Visit,
    told: &mut Told<'_>,
) -> Result<(), DemoError> {
    told.chapter(
        "A researcher is refused the record and gets noisy counts",
        "Even a grant given by mistake opens nothing. Counts come with noise that hides each patient, from one budget for all.",
    );
    let researcher = &cast.researcher;
    let grant = cast.grant(researcher, &chosen.subject).await?;
    let opened = cast.open(researcher, &wish(visit.record, "TREAT")).await?;
    let name = "a researcher at the door, with a grant given by mistake";
    told.tried(tried(name, &opened, Some(("the role of a researcher", visit.readable))));
    cast.hospital.order(&Command::Revoke { grant }).await?;

    let name = || "patients".parse().map_err(DemoError::own);
    let order = DataSetOrder { name: name()?, schemas: vec!["patient".to_owned()], budget: DATA_SET_BUDGET };
    cast.hospital.order(&Command::OpenDataSet(order)).await?;
    let first = cast.project("diabetes by sex").await?;
    told.line(&format!("a data set with {DATA_SET_BUDGET} for good, and a project that may spend {PROJECT_BUDGET}"));

    let women = count(first, "gender == \"female\"");
    let answer = cast.query(&women).await?.map_err(DemoError::own)?;
    tell(told, "women", &answer);
    let again = cast.query(&women).await?.map_err(DemoError::own)?;
    tell(told, "the same again", &again);
    let by_gender = QueryWish { histogram: Some(("gender".to_owned(), Vec::new())), ..count(first, "") };
    let answer = cast.query(&by_gender).await?.map_err(DemoError::own)?;
    tell(told, "by gender", &answer);

    let men = "gender == \"male\"";
    let spent = cast.query(&count(first, men)).await?;
    let second = cast.project("heart disease by sex").await?;
    told.line("a second project, on the same data set");
    let answer = cast.query(&count(second, men)).await?;
    if let Ok(answer) = &answer {
        tell(told, "men", answer);
    }
    let control = Some(("what the project had spent", answer.is_ok()));
    told.tried(exhausted("one query more than the project's budget", &spent, control));
    let other = "gender == \"other\"";
    let spent = cast.query(&count(second, other)).await?;
    let control = Some(("what the first project had spent", answer.is_ok()));
    told.tried(exhausted("a new project, on a data set whose budget others spent", &spent, control));
    Ok(())
}

fn count(project: ProjectId, cohort: &str) -> QueryWish {
    QueryWish { project, schema: "patient".to_owned(), cohort: cohort.to_owned(), histogram: None, pay: PAY }
}

fn tell(told: &mut Told<'_>, what: &str, answer: &QueryResponse) {
    told.figures.queries += 1;
    let bin = |bin: &Bin| {
        let count = if bin.suppressed { "too few to tell".to_owned() } else { format!("about {}", bin.count) };
        if bin.name.is_empty() { count } else { format!("{} {count}", bin.name) }
    };
    let bins: Vec<String> = answer.bins.iter().map(bin).collect();
    let paid = match answer.stored {
        true => "the answer given before, for nothing".to_owned(),
        false => format!("for {}", MicroEpsilon::new(answer.micro_epsilon)),
    };
    told.line(&format!(
        "{what}: {}; {paid}, {} of scale {}, {} left of the data set",
        bins.join(", "),
        answer.noise,
        answer.scale,
        MicroEpsilon::new(answer.remaining)
    ));
}

fn exhausted(attempt: &str, outcome: &Result<QueryResponse, ClientError>, control: Option<(&str, bool)>) -> Attempt {
    let outcome = outcome.as_ref().map(|_| ()).map_err(ToString::to_string);
    Attempt::new(attempt, outcome, control)
}

impl Cast {
    async fn project(&self, title: &str) -> Result<ProjectId, DemoError> {
        let now = now();
        let order = ProjectOrder {
            title: title.to_owned(),
            researcher: self.researcher.name.parse().map_err(DemoError::own)?,
            purpose: "HRESCH".to_owned(),
            data_set: "patients".parse().map_err(DemoError::own)?,
            threshold: THRESHOLD,
            budget: PROJECT_BUDGET,
            until: now.plus_seconds(MONTH_SECONDS).unwrap_or(now),
        };
        id_in(&self.hospital.order(&Command::OpenProject(order)).await?, "project")
    }

    /// Asks a query. A refusal is an outcome; a node that fails is not.
    async fn query(&self, wish: &QueryWish) -> Result<Result<QueryResponse, ClientError>, DemoError> {
        let Cast { researcher, .. } = self;
        match researcher.party().query(&researcher.line, wish, now(), &mut OsRng).await {
            Err(error @ (ClientError::Busy(_) | ClientError::Failed(_) | ClientError::Connect(..))) => {
                Err(DemoError::own(error))
            }
            outcome => Ok(outcome),
        }
    }
}
