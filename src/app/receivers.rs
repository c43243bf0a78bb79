//! Where the names of receivers lead, and whether webhooks may go there.

use std::net::IpAddr;
use std::time::Duration;

use thiserror::Error;

use crate::domain::webhook_target::{self, Host, Target, TargetError, TargetPolicy};

/// Real time for finding out where a name leads when a receiver is declared.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(2);

/// Why a name gives no address to connect to.
#[derive(Debug, Error)]
pub(crate) enum ResolveError {
    #[error("{name} leads nowhere: {why}")]
    Nowhere { name: String, why: String },
    #[error(transparent)]
    Forbidden(#[from] TargetError),
}

/// Which receivers webhooks may go to.
#[derive(Clone)]
pub(crate) struct Receivers {
    policy: TargetPolicy,
    names: Names,
}

/// Who knows names.
#[derive(Clone)]
enum Names {
    System,
    /// Answers in turn, for tests.
    #[cfg(test)]
    InTurn(std::sync::Arc<std::sync::Mutex<std::collections::VecDeque<Vec<IpAddr>>>>),
}

impl Names {
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, std::io::Error> {
        match self {
            Self::System => {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            }
            #[cfg(test)]
            Self::InTurn(answers) => Ok(answers.lock().unwrap().pop_front().unwrap_or_default()),
        }
    }
}

impl Receivers {
    /// Those that the policy allows; the system is asked where names lead.
    pub(crate) fn new(policy: TargetPolicy) -> Self {
        Self { policy, names: Names::System }
    }

    /// The same, where names lead to these addresses, one answer after the other.
    #[cfg(test)]
    pub(crate) fn in_turn(policy: TargetPolicy, answers: Vec<Vec<IpAddr>>) -> Self {
        Self { policy, names: Names::InTurn(std::sync::Arc::new(std::sync::Mutex::new(answers.into()))) }
    }

    /// Decides by a URL's text alone.
    ///
    /// # Errors
    /// Says what is wrong and what to do.
    pub(crate) fn read(&self, url: &str) -> Result<Target, TargetError> {
        let target = webhook_target::parse(url)?;
        target.check(self.policy)?;
        Ok(target)
    }

    /// Decides whether a URL may be a receiver's: by its text, and by where its name leads now. A name that leads
    /// nowhere yet is taken.
    ///
    /// # Errors
    /// Says what is wrong and what to do.
    pub(crate) async fn check(&self, url: &str) -> Result<(), TargetError> {
        let target = self.read(url)?;
        let Host::Name(name) = &target.host else { return Ok(()) };
        match tokio::time::timeout(LOOKUP_TIME_MAX, self.resolve(name)).await {
            Ok(Err(ResolveError::Forbidden(why))) => Err(why),
            Ok(Ok(_) | Err(ResolveError::Nowhere { .. })) | Err(_) => Ok(()),
        }
    }

    /// The addresses of a name, if webhooks may go to all of them: one that may not be reached among others that may is
    /// no accident.
    ///
    /// # Errors
    /// `Nowhere`, `Forbidden`.
    pub(crate) async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let nowhere = |why: String| ResolveError::Nowhere { name: name.to_owned(), why };
        let found = self.names.addresses(name).await.map_err(|error| nowhere(error.to_string()))?;
        if found.is_empty() {
            return Err(nowhere("it has no address".to_owned()));
        }
        for address in &found {
            webhook_target::check_address(self.policy, *address)?;
        }
        Ok(found)
    }
}
