//! Which keys a list or a count is about.

use crate::domain::access::Visible;
use crate::domain::context::RingScope;
use crate::domain::filter::Term;

/// Which keys of an instance are meant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) ring: Option<RingScope>,
    /// What the caller may see.
    pub(crate) visible: Visible,
    /// State numbers; `None` where nobody asked: everything but destroyed keys.
    pub(crate) states: Option<Vec<u8>>,
    pub(crate) extractable: Option<bool>,
    pub(crate) filter: Vec<Term>,
}

impl Selection {
    /// The same, whatever the dates of keys.
    pub(crate) fn without_dates(&self) -> Self {
        let mut broad = self.clone();
        broad.filter.retain(|term| !matches!(term, Term::Date(..)));
        broad
    }
}
