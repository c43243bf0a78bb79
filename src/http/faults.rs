//! What is told of a failure: refusals are the caller's matter; faults are logged here, and a caller learns a status.

use crate::app::error::Error;
use crate::domain::reason::Reason;

/// A failure as far as a caller may know of it.
pub(crate) enum Told<'e> {
    Refused(&'e Reason),
    /// 500, or 503 for what passes: the caller may try again.
    Fault(u16),
}

/// Tells a failure of an operation or an API apart.
pub(crate) fn told<'e>(failure: &'e Error, of: &str) -> Told<'e> {
    match failure {
        Error::Refused(reason) => Told::Refused(reason),
        Error::Store(fault) => {
            failure.report(&format!("{of}: a request is left undone"));
            Told::Fault(if fault.is_passing() { 503 } else { 500 })
        }
        Error::Crypto(_) => {
            failure.report(&format!("{of}: a request is left undone"));
            Told::Fault(500)
        }
    }
}
