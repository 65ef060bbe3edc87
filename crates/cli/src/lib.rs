//! Command line library.
