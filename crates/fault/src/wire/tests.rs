//! Tests of the wire faults.
