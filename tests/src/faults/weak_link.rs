//! The hub comes back from an older copy of its database.
