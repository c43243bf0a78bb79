//! Whether an obstacle may be passed over.

/// What `force` asks for. It says `true` or `false` in a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Force {
    Yes,
    No,
}
