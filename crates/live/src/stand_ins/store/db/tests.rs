//! What replicas hold, whatever came in which order.

use super::*;
use proptest::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many replicas in a folder of their own, which goes with them.
struct Few(Vec<Db>, PathBuf);

impl Few {
    fn new(count: usize) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("assize-db-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let create = |i| Db::create(folder.join(format!("{i}.sqlite"))).expect("a file");
        Self((0..count).map(create).collect(), folder)
    }

    fn ship(&self, from: usize, to: usize, most: u64) {
        let known = self.0[to].known().expect("known");
        let end = self.0[from].end().expect("an end");
        let changes = self.0[from].unknown(&known, end, most).expect("changes");
        self.0[to].receive(&changes).expect("received");
    }

    fn keys(&self, of: usize) -> Vec<(u64, u64)> {
        let held = self.0[of].held().expect("held");
        let mut keys: Vec<_> = held
            .iter()
            .map(|h| (h.entry.writer, h.entry.sequence))
            .collect();
        keys.sort_unstable();
        keys
    }
}

impl Drop for Few {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.1);
    }
}

fn write(writer: u64, sequence: u64) -> What {
    What::Write {
        writer,
        sequence,
        hash: ledger::entry(writer, sequence).hash,
        content: ledger::content(writer, sequence),
        copies: 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever was shipped when, in pieces of any size: in the end all hold every write once.
    #[test]
    fn replicas_come_to_hold_the_same(
        steps in proptest::collection::vec((0usize..3, 0usize..3, 1u64..2_000), 1..40),
    ) {
        let dbs = Few::new(3);
        let mut written = Vec::new();
        for (i, (from, to, most)) in steps.into_iter().enumerate() {
            if from == to {
                let key = (from as u64, i as u64);
                dbs.0[from].change(from as u16, write(key.0, key.1), 10).expect("written");
                written.push(key);
            } else {
                dbs.ship(from, to, most);
            }
        }
        for _ in 0..2 {
            for (from, to) in [(0, 1), (1, 2), (2, 0)] {
                dbs.ship(from, to, u64::MAX / 2);
            }
        }
        written.sort_unstable();
        for i in 0..3 {
            prop_assert_eq!(dbs.keys(i), written.clone());
        }
    }

    /// What is rewound is as if it had never been, damage included.
    #[test]
    fn rewinding_gives_back_what_was_there(before in 0u64..8, after in 1u64..8) {
        let dbs = Few::new(1);
        let db = &dbs.0[0];
        for i in 0..before {
            db.change(0, write(1, i), 0).expect("written");
        }
        let was = db.held().expect("held");
        for i in 0..after {
            db.change(0, write(2, i), 0).expect("written");
        }
        db.change(0, What::Corrupt, 0).expect("damaged");
        prop_assert!(!db.is_whole().expect("looked at"));
        prop_assert_eq!(db.rewind(0, before).expect("rewound"), after + 1);
        prop_assert_eq!(db.held().expect("held"), was);
        prop_assert!(db.is_whole().expect("looked at"));
    }
}
