//! How often elements are out: an availability, a probability, or the times between failures and
//! to repair. Only `analyse` asks.

use super::cx::Fields;
use super::topology::Build;
use crate::topology::Reliability;
use assize_fault::{Nanos, Ppb};

impl Build<'_> {
    /// `reliability: {node/core-n: {availability: 99.99%}, link/*: {mtbf: 2000h, mttr: 4h}}`.
    pub(crate) fn reliability(&mut self, f: &Fields<'_>) {
        const HELP: &str =
            "write `availability: 99.9%`, `probability: 0.1%`, or `mtbf: 2000h` and `mttr: 4h`";
        for (selector, at, doc) in f.entries("reliability") {
            if !selector.contains('*') {
                self.check_element(selector, at);
            }
            let Some(f) = Fields::open(self.cx, doc, "reliability") else {
                continue;
            };
            let parts = |share: Ppb| (share.0, Ppb::ONE.0);
            let given = [
                f.share("availability").map(|a| parts(a.complement())),
                f.share("probability").map(parts),
                self.by_times(&f),
            ];
            f.finish();
            let mut given = given.into_iter().flatten();
            match (given.next(), given.next()) {
                (Some(unavailable), None) => self.t.reliability.push(Reliability {
                    selector: selector.to_string(),
                    unavailable,
                }),
                (None, _) => self
                    .cx
                    .error(at, format!("`{selector}` has no figure"), HELP),
                (Some(_), Some(_)) => {
                    self.cx
                        .error(at, format!("`{selector}` has two figures"), HELP)
                }
            }
        }
    }

    /// Repair time over repair time and time between failures.
    fn by_times(&self, f: &Fields<'_>) -> Option<(u64, u64)> {
        let (between, repair) = (f.duration("mtbf"), f.duration("mttr"));
        match (between, repair) {
            (Some(between), Some(repair)) if between > Nanos::ZERO => {
                let parts = |n: Nanos| u64::try_from(n.0).unwrap_or(0);
                Some((parts(repair), parts(between).saturating_add(parts(repair))))
            }
            (None, None) => None,
            (Some(_), Some(_)) => {
                self.cx
                    .error(f.key("mtbf"), "`mtbf` is more than nothing", "");
                None
            }
            _ => {
                self.cx.error(f.at, "`mtbf` and `mttr` go together", "");
                None
            }
        }
    }
}
