//! The gateway's tables, and the files that hold objects.
