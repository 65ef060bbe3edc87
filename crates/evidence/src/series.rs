//! Whether a set of packs is all that their register tells of.

use crate::plan::Registered;
use crate::register::Register;
use crate::statement::State;

/// A pack of an attempt.
#[derive(Clone, Debug)]
pub struct Shown {
    /// How messages call it.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// The register that it holds, whose last entry is that of its attempt.
    pub register: Register,
    /// How far the run came, by the pack's own word.
    pub run: State,
}

/// What a set of packs says of its plan.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Series {
    /// What cannot be: a gap, a run that was not registered.
    pub wrong: Vec<String>,
    /// What is not decided: attempts that were broken off, runs still to be made.
    pub open: Vec<String>,
}

/// Compares packs with their plan and with each other.
#[must_use]
pub fn series(plan: &Registered, packs: &[Shown]) -> Series {
    let mut series = Series::default();
    let digest = plan.digest();
    for pack in packs {
        if pack.register.plan() != Some(&digest) {
            let what = format!("{}: it is of another plan, or of none", pack.name);
            series.wrong.push(what);
        }
    }
    let longest = packs.iter().max_by_key(|pack| pack.register.bytes().len());
    let Some(longest) = longest.filter(|_| series.wrong.is_empty()) else {
        return series;
    };
    for pack in packs {
        if !longest.register.continues(&pack.register) {
            series.wrong.push(format!(
                "{}: its register tells another story than that of {}: a run was made that the \
                 other does not register",
                pack.name, longest.name
            ));
        }
    }
    let ended: Vec<(u32, &str, State)> = longest.register.ended().collect();
    for attempt in longest.register.begun() {
        let of_it = |pack: &&Shown| pack.register.last_begun().map(|b| b.attempt) == Some(attempt);
        let shown: Vec<&Shown> = packs.iter().filter(of_it).collect();
        let registered = ended.iter().find(|(a, ..)| *a == attempt);
        let registered = registered.map(|(_, pack, run)| (*pack, *run));
        one_attempt(attempt, &shown, registered, &mut series);
    }
    counts(plan, packs, &ended, &mut series);
    series
}

fn one_attempt(
    attempt: u32,
    shown: &[&Shown],
    registered: Option<(&str, State)>,
    series: &mut Series,
) {
    for pack in shown {
        if registered.is_some_and(|(_, run)| run != pack.run) {
            series.wrong.push(format!(
                "{}: it says that the run is {}, and the register says otherwise",
                pack.name, pack.run
            ));
        }
        if registered.is_some_and(|(digest, _)| digest != pack.digest) {
            series.wrong.push(format!(
                "{}: it says that it is attempt {attempt}, and another pack is registered as that: \
                 a second run, which was not registered",
                pack.name
            ));
        }
    }
    match (shown, registered) {
        ([], Some((digest, _))) => series.wrong.push(format!(
            "there is a gap: attempt {attempt} was registered with the pack {digest}, which is not \
             among these"
        )),
        ([], None) => series.open.push(format!(
            "attempt {attempt} was begun and broken off: it is registered, and left no pack"
        )),
        ([first, others @ ..], _) => {
            for other in others.iter().filter(|other| other.digest != first.digest) {
                series.wrong.push(format!(
                    "{} and {} both say that they are attempt {attempt}: one of them was not \
                     registered",
                    first.name, other.name
                ));
            }
            if !first.run.is_complete() {
                series.open.push(format!(
                    "attempt {attempt} was {}: {} shows how far it came",
                    first.run, first.name
                ));
            }
        }
    }
}

/// Runs that came to their end, against those that were registered.
fn counts(plan: &Registered, packs: &[Shown], ended: &[(u32, &str, State)], series: &mut Series) {
    let shown = packs.iter().filter(|pack| pack.run.is_complete());
    let ended = ended.iter().filter(|(.., run)| run.is_complete());
    let mut made: Vec<u32> = shown
        .filter_map(|pack| Some(pack.register.last_begun()?.attempt))
        .chain(ended.map(|(attempt, ..)| *attempt))
        .collect();
    made.sort_unstable();
    made.dedup();
    let (made, times) = (made.len(), plan.times as usize);
    if made > times {
        let what = format!("{made} runs were made, and {times} registered");
        series.wrong.push(what);
    } else if made < times {
        let what = format!("{made} of {times} registered runs were made so far");
        series.open.push(what);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::digest::sha256;
    use crate::plan::tests::plan;

    pub(crate) fn attempt(register: &mut Register, times: u32, pack: Option<&str>) -> Shown {
        let begun = register
            .begin(&plan(times), "2026-11-28T12:00:00Z", None)
            .expect("begun");
        let shown = Shown {
            name: format!("pack {}", begun.attempt),
            digest: sha256(format!("{pack:?}").as_bytes()),
            register: register.clone(),
            run: State::Complete,
        };
        if pack.is_some() {
            let ended = register.end(begun.attempt, "pass", &shown.digest, State::Complete);
            ended.expect("open");
        }
        shown
    }

    #[test]
    fn all_packs_of_a_plan_are_whole() {
        let mut register = Register::default();
        let packs = [
            attempt(&mut register, 2, Some("a")),
            attempt(&mut register, 2, Some("b")),
        ];
        assert_eq!(series(&plan(2), &packs), Series::default());
        let why = register.begin(&plan(2), "", None).expect_err("all made");
        assert!(why.contains("has 2 of 2 registered runs"), "{why}");
        let read = Register::read(register.bytes());
        assert_eq!(read, Ok(register));
    }

    #[test]
    fn a_gap_is_seen_and_so_is_what_was_broken_off() {
        let mut register = Register::default();
        let first = attempt(&mut register, 3, Some("a"));
        attempt(&mut register, 3, None);
        let third = attempt(&mut register, 3, Some("c"));
        let with_gap = series(&plan(3), std::slice::from_ref(&third));
        assert_eq!(with_gap.wrong.len(), 1);
        assert!(
            with_gap.wrong[0].contains("a gap: attempt 1"),
            "{with_gap:?}"
        );
        let open = series(&plan(3), &[first, third]);
        assert_eq!(open.wrong, Vec::<String>::new());
        assert!(open.open[0].contains("attempt 2 was begun and broken off"));
        assert!(open.open[1].contains("2 of 3 registered runs"));
    }

    /// Of an attempt that was killed the pack is made later, when another has begun. It is no run
    /// of the plan, and it is not passed over.
    #[test]
    fn a_killed_attempt_ends_late_and_stays_open() {
        let mut register = Register::default();
        let mut killed = attempt(&mut register, 1, None);
        killed.run = State::Killed;
        let other = attempt(&mut register, 1, Some("b"));
        let late = register.end(1, "inconclusive", &killed.digest, State::Killed);
        assert_eq!(late, Ok(()));
        assert_eq!(Register::read(register.bytes()), Ok(register.clone()));
        let seen = series(&plan(1), &[killed.clone(), other.clone()]);
        assert_eq!(seen.wrong, Vec::<String>::new());
        let open = ["attempt 1 was killed: pack 1 shows how far it came"];
        assert_eq!(seen.open, open);
        // Nor does it become a complete one by another entry, or by its own word.
        let again = register.end(1, "pass", &killed.digest, State::Complete);
        assert!(again.is_err_and(|why| why.contains("has the end of attempt 1 already")));
        assert!(register.end(3, "pass", "", State::Complete).is_err());
        killed.run = State::Complete;
        let last = Shown {
            name: "later".into(),
            digest: other.digest.clone(),
            register: register.clone(),
            run: State::Complete,
        };
        let seen = series(&plan(1), &[killed, other, last]);
        assert!(
            seen.wrong.iter().any(|w| w.contains("says otherwise")),
            "{seen:?}"
        );
    }

    #[test]
    fn a_second_run_that_was_not_registered_is_seen() {
        // Made as attempt 1 again, from a copy of the register.
        let (mut register, mut copy) = (Register::default(), Register::default());
        let one = attempt(&mut register, 2, Some("a"));
        let other = attempt(&mut copy, 2, Some("better"));
        let two = attempt(&mut register, 2, Some("b"));
        let seen = series(&plan(2), &[other.clone(), two.clone()]);
        assert!(
            seen.wrong.iter().any(|w| w.contains("a second run")),
            "{seen:?}"
        );
        let seen = series(&plan(2), &[one, other]);
        assert!(
            seen.wrong.iter().any(|w| w.contains("both say")),
            "{seen:?}"
        );
        // Begun anew at another time.
        let mut anew = Register::default();
        let begun = anew
            .begin(&plan(2), "2026-11-29T12:00:00Z", None)
            .expect("begun");
        let shown = Shown {
            name: "anew".into(),
            digest: sha256(b"x"),
            register: anew,
            run: State::Complete,
        };
        assert_eq!(begun.attempt, 1);
        let seen = series(&plan(2), &[shown, two]);
        assert!(
            seen.wrong.iter().any(|w| w.contains("another story")),
            "{seen:?}"
        );
    }
}
