//! One binary of integration tests: the command as a person uses it, called as a library.
//!
//! Figures of single machines are tested beside their code; here it is what comes out.

mod support;

mod analysis;
mod arms;
mod canaries;
mod contracts;
mod determinism;
mod digest;
mod exits;
mod faults;
mod figures;
mod invariants;
mod joint;
mod live;
mod load;
mod moj;
mod proxy;
mod readme;
mod reports;
mod toxiproxy;
mod verbs;
mod verdict;
mod worked;
mod wrong;
