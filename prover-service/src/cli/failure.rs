//! Failures of a verb: what is said, and the exit status that says whose fault it is.

use std::error::Error;
use std::process::ExitCode;

use crate::answer::AnswerError;
use crate::client::ClientError;
use crate::institution::OpenError;

/// What a verb comes to.
pub(super) type Outcome<T = ()> = Result<T, Failure>;

/// Why a verb failed.
pub(super) struct Failure {
    status: u8,
    text: String,
    said: bool,
}

impl Failure {
    /// Refused or invalid: status 1.
    pub(super) fn refused(error: impl Error) -> Failure {
        Failure { status: 1, text: chain(&error), said: false }
    }

    /// Refused, and already said on standard output.
    pub(super) fn refused_and_said() -> Failure {
        Failure { status: 1, text: String::new(), said: true }
    }

    /// Bad usage: status 2.
    pub(super) fn usage(error: impl Error) -> Failure {
        Failure { status: 2, text: chain(&error), said: false }
    }

    /// Bad usage: status 2.
    pub(super) fn usage_text(text: String) -> Failure {
        Failure { status: 2, text, said: false }
    }

    /// Our fault or the machine's: status 3.
    pub(super) fn ours(error: impl Error) -> Failure {
        Failure { status: 3, text: chain(&error), said: false }
    }

    /// Our fault or the machine's: status 3.
    pub(super) fn ours_text(text: String) -> Failure {
        Failure { status: 3, text, said: false }
    }

    /// With the status that a node gave it.
    pub(super) fn with_status(status: u8, text: String) -> Failure {
        Failure { status, text, said: false }
    }

    /// An institution that cannot be opened.
    pub(super) fn opening(error: OpenError) -> Failure {
        use vouchsafe_access::keystore::OpenError as Keystore;
        match &error {
            OpenError::Missing(_) | OpenError::Keystore(Keystore::WrongPassphrase(_) | Keystore::Missing(_)) => {
                Failure::usage(error)
            }
            _ => Failure::ours(error),
        }
    }

    /// A request that was not answered.
    pub(super) fn answering(error: AnswerError) -> Failure {
        match &error {
            AnswerError::Request(_) | AnswerError::Form(_) | AnswerError::NoSubject | AnswerError::No(_) => {
                Failure::refused(error)
            }
            _ => Failure::ours(error),
        }
    }

    /// A node that did not do what it was asked.
    pub(super) fn calling(error: ClientError) -> Failure {
        match &error {
            ClientError::File(..) | ClientError::Address(_) => Failure::usage(error),
            ClientError::Refused(_) | ClientError::Busy(_) => Failure::refused(error),
            _ => Failure::ours(error),
        }
    }

    /// Says what happened and gives the exit status.
    pub(super) fn report(self, json: bool) -> ExitCode {
        if !self.said {
            if json {
                println!("{}", serde_json::json!({ "error": self.text, "status": self.status }));
            }
            eprintln!("vouch: {}", self.text);
        }
        ExitCode::from(self.status)
    }
}

/// An error with its causes; a cause that only repeats what was said is left out.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}
