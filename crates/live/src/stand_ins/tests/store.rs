//! The store stand-in.

use super::{Estate, SOON, plain};
use crate::ledger;
use crate::replica::{Call, Effect, Entry, Held, Trouble, Way, What, Work};
use crate::stand_ins::Vault;
use assize_fault::wire::Wire;
use assize_fault::{Direction, Nanos, Size, Value};
use assize_model::binding::StandIn;
use assize_model::faults::How;
use assize_model::topology::Rejoin;
use assize_proxy::{Proxy, Toxic};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Two replicas; what is in the braces after `replication`, and more of the service.
fn pair(replication: &str, more: &str) -> String {
    format!(
        "  db:
    mode: active-standby
    replicas: {{a: {{role: primary}}, b: {{role: standby}}}}
    failover: {{promote: 1s, check: {{every: 1s, timeout: 500ms}}}}
    state: {{replication: {replication}}}\n{more}"
    )
}

const ASYNC: &str = "{mode: async, every: 2s, phase: 0s}";

async fn estate(services: &str, pace: u32) -> Estate {
    Estate::start(services, StandIn::Store, pace).await
}

fn write(writer: u64, sequence: u64) -> Call {
    Call {
        what: What::Write(ledger::entry(writer, sequence)),
        ..plain(writer)
    }
}

/// What was acknowledged.
#[derive(Default)]
struct Book(BTreeSet<Entry>);

/// What a replica makes of it.
#[derive(PartialEq, Eq, Debug)]
struct Found {
    lost: usize,
    duplicated: usize,
    corrupted: usize,
}

impl Book {
    fn read_back(&self, held: &[Held]) -> Found {
        let copies = |e: &Entry| held.iter().filter(|h| h.entry == *e).count();
        let damaged = |h: &&Held| h.content_hash != h.entry.hash;
        Found {
            lost: self.0.iter().filter(|e| copies(e) == 0).count(),
            duplicated: self.0.iter().filter(|e| copies(e) > 1).count(),
            corrupted: held.iter().filter(damaged).count(),
        }
    }
}

/// Writes these of writer 1 to a replica, and keeps the books.
async fn fill(estate: &Estate, book: &mut Book, replica: u16, from: u64, to: u64) {
    for sequence in from..=to {
        let entry = ledger::entry(1, sequence);
        estate
            .call(0, replica, &write(1, sequence))
            .await
            .expect("acknowledged");
        book.0.insert(entry);
    }
}

async fn held(estate: &Estate, replica: u16) -> Vec<Held> {
    let way = estate.way(0, replica);
    way.to.held(way.via).await.expect("read back")
}

/// Waits until a replica holds so many entries.
async fn until_held(estate: &Estate, replica: u16, count: usize) {
    let there = async {
        while held(estate, replica).await.len() != count {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, there).await.expect("it arrives");
}

/// Puts a proxy on the way to a replica.
fn between(estate: &Estate, replica: u16) -> Proxy {
    let way = estate.way(0, replica);
    let proxy = Proxy::tcp("127.0.0.1:0").upstream(way.to.upstream());
    let proxy = proxy.start().expect("a proxy");
    estate.reroute(0, replica, proxy.addr());
    proxy
}

#[tokio::test]
async fn what_was_not_copied_at_a_cut_is_lost_by_the_takeover() -> Result<(), Trouble> {
    let estate = estate(&pair(ASYNC, ""), 20).await;
    let mut book = Book::default();
    fill(&estate, &mut book, 0, 1, 30).await;
    until_held(&estate, 1, 30).await;
    estate
        .replica(0, 0)
        .apply(Effect::ReplicationStops, true)
        .await?;
    fill(&estate, &mut book, 0, 31, 40).await;
    let down = Effect::Down(How::Refuse);
    estate.replica(0, 0).apply(down, true).await?;
    estate.replica(0, 1).promote().await?;
    let found = book.read_back(&held(&estate, 1).await);
    assert_eq!(found.lost, 10);
    // The old primary comes back with what nobody else has, and forgets it.
    estate.replica(0, 0).apply(down, false).await?;
    estate
        .replica(0, 0)
        .apply(Effect::ReplicationStops, false)
        .await?;
    fill(&estate, &mut book, 1, 41, 50).await;
    let old = estate.replica(0, 0);
    old.follow(estate.way(0, 1), Rejoin::Rewind).await?;
    until_held(&estate, 0, 40).await;
    assert_eq!(book.read_back(&held(&estate, 0).await).lost, 10);
    // It is made primary again as planned: the other one stops first, and nothing more is lost.
    fill(&estate, &mut book, 1, 51, 55).await;
    estate
        .replica(0, 1)
        .follow(estate.way(0, 0), Rejoin::Rewind)
        .await?;
    old.promote().await?;
    fill(&estate, &mut book, 0, 56, 60).await;
    until_held(&estate, 1, 50).await;
    assert_eq!(book.read_back(&held(&estate, 1).await).lost, 10);
    Ok(())
}

#[tokio::test]
async fn an_old_primary_that_merges_brings_its_writes_along() -> Result<(), Trouble> {
    let estate = estate(&pair(ASYNC, ""), 20).await;
    let mut book = Book::default();
    fill(&estate, &mut book, 0, 1, 5).await;
    until_held(&estate, 1, 5).await;
    let old = estate.replica(0, 0);
    old.apply(Effect::ReplicationStops, true).await?;
    fill(&estate, &mut book, 0, 6, 9).await;
    estate.replica(0, 1).promote().await?;
    fill(&estate, &mut book, 1, 10, 12).await;
    old.apply(Effect::ReplicationStops, false).await?;
    old.follow(estate.way(0, 1), Rejoin::Merge).await?;
    assert_eq!(book.read_back(&held(&estate, 1).await).lost, 0);
    until_held(&estate, 0, 12).await;
    Ok(())
}

#[tokio::test]
async fn a_synchronous_write_waits_until_the_other_is_called_down() -> Result<(), Trouble> {
    let estate = estate(&pair("sync", ""), 10).await;
    let mut book = Book::default();
    fill(&estate, &mut book, 0, 1, 10).await;
    assert_eq!(book.read_back(&held(&estate, 1).await).lost, 0);
    let down = Effect::Down(How::Refuse);
    estate.replica(0, 1).apply(down, true).await?;
    let brief = Duration::from_millis(300);
    let waits = estate.call_within(0, 0, &write(1, 11), brief).await;
    assert_eq!(waits, Err(None));
    estate.replica(0, 0).peer(1, false);
    estate.call(0, 0, &write(1, 12)).await?;
    // It catches up when it is there again.
    estate.replica(0, 1).apply(down, false).await?;
    until_held(&estate, 1, 12).await;
    Ok(())
}

#[tokio::test]
async fn a_line_slower_than_the_writes_makes_lag() -> Result<(), Trouble> {
    // Each write brings 4,000 bytes; the line carries what comes, or half of it.
    let mut lags = Vec::new();
    for rate in [10_000, 20] {
        let estate = estate(&pair("{mode: async, every: 1s, phase: 0s}", ""), 10).await;
        let proxy = between(&estate, 1);
        let mut wire = Wire::named("bandwidth").expect("a wire fault");
        wire.set("rate", Value::Int(rate)).expect("a rate");
        proxy
            .attach(Toxic::new("line", Direction::Upstream, wire))
            .expect("attached");
        let mut book = Book::default();
        for sequence in 1..=60 {
            let entry = ledger::entry(1, sequence);
            let call = Call {
                sends: Size(4_000),
                ..write(1, sequence)
            };
            estate.call(0, 0, &call).await?;
            book.0.insert(entry);
            sleep(Duration::from_millis(20)).await;
        }
        estate
            .replica(0, 0)
            .apply(Effect::ReplicationStops, true)
            .await?;
        lags.push(book.read_back(&held(&estate, 1).await).lost);
    }
    // 60 × 4,200 bytes in 1.2 s: the slow line has carried a tenth of them.
    assert!(lags[0] < 15 && lags[1] > 40, "{lags:?}");
    Ok(())
}

#[tokio::test]
async fn damage_is_copied_and_a_restore_brings_back_what_was_there() -> Result<(), Trouble> {
    let estate = estate(&pair(ASYNC, ""), 20).await;
    let vault = Vault::start(estate.folder("vault")).await.expect("a vault");
    let work = |name: &str| Work {
        backup: 0,
        vault: vault.upstream().parse().expect("an address"),
        name: name.into(),
        takes: Nanos::secs(2),
        folder: estate.folder("between"),
    };
    let mut book = Book::default();
    fill(&estate, &mut book, 0, 1, 20).await;
    let db = estate.replica(0, 0);
    let made = db.backup(&work("one")).await?;
    assert_eq!(made.entries, 20);
    fill(&estate, &mut book, 0, 21, 25).await;
    db.apply(Effect::BadBackup, true).await?;
    for bad in ["two", "three", "four"] {
        assert!(db.backup(&work(bad)).await.is_ok(), "nobody notices");
    }
    db.apply(Effect::BadBackup, false).await?;
    db.apply(Effect::Corrupt, true).await?;
    assert!(matches!(
        estate.call(0, 0, &write(1, 26)).await,
        Err(Trouble::Answered(ref why)) if why.contains("damaged")
    ));
    let copied = async {
        while book.read_back(&held(&estate, 1).await).corrupted != 25 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, copied).await.expect("the damage is copied");
    for bad in ["two", "three", "four"] {
        let found = db.restore(&work(bad)).await;
        let is_bad = |why: &String| why.contains("the backup is bad");
        assert!(
            matches!(found, Err(Trouble::Answered(ref why)) if is_bad(why)),
            "{bad}: {found:?}"
        );
    }
    let before = Instant::now();
    let restored = db.restore(&work("one")).await?;
    // 2 s at pace 20.
    assert!(before.elapsed() >= Duration::from_millis(95));
    assert_eq!(restored.entries, 20);
    let phases: Vec<&str> = restored.phases.iter().map(|p| p.0).collect();
    assert_eq!(phases, ["find", "fetch", "load", "verify"]);
    let found = book.read_back(&held(&estate, 0).await);
    assert_eq!((found.lost, found.corrupted), (5, 0));
    fill(&estate, &mut book, 0, 30, 32).await;
    // The follower forgets what the restore does not know.
    until_held(&estate, 1, 23).await;
    assert_eq!(book.read_back(&held(&estate, 1).await).lost, 5);
    assert!(matches!(
        db.restore(&work("five")).await,
        Err(Trouble::Answered(_))
    ));
    Ok(())
}

#[tokio::test]
async fn a_quorum_serves_while_a_majority_is_there() -> Result<(), Trouble> {
    let services = "  db:
    mode: quorum
    replicas: {a: {role: primary}, b: {}, c: {}}
    state: {replication: sync}\n";
    let estate = estate(services, 10).await;
    let first = async {
        while estate.call(0, 0, &write(1, 1)).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, first).await.expect("a majority is heard of");
    let down = Effect::Down(How::Refuse);
    estate.replica(0, 2).apply(down, true).await?;
    sleep(Duration::from_millis(600)).await;
    estate.call(0, 0, &write(1, 2)).await?;
    estate.replica(0, 1).apply(down, true).await?;
    let alone = async {
        loop {
            let call = write(1, 3);
            let answer = estate
                .call_within(0, 0, &call, Duration::from_millis(200))
                .await;
            if matches!(answer, Err(Some(Trouble::Answered(_)))) {
                return;
            }
        }
    };
    timeout(SOON, alone).await.expect("it serves nobody alone");
    Ok(())
}

#[tokio::test]
async fn replicas_that_all_serve_have_the_same_in_the_end() -> Result<(), Trouble> {
    let services = "  db:
    mode: active-active
    replicas: [a, b]
    state: {replication: {mode: async, every: 1s}}\n";
    let estate = estate(services, 20).await;
    let mut book = Book::default();
    fill(&estate, &mut book, 0, 1, 5).await;
    fill(&estate, &mut book, 1, 6, 9).await;
    until_held(&estate, 0, 9).await;
    until_held(&estate, 1, 9).await;
    assert_eq!(book.read_back(&held(&estate, 0).await).duplicated, 0);
    Ok(())
}

#[tokio::test]
async fn each_misbehaviour_shows_in_the_books() -> Result<(), Trouble> {
    for (how, lost, duplicated) in [
        ("drops-writes", 2, 0),
        ("forgets-old", 1, 0),
        ("duplicates", 0, 2),
        ("stale-reads", 0, 0),
    ] {
        let more = format!("    stand_in: {{misbehaves: [{how}]}}\n");
        let estate = estate(&pair(ASYNC, &more), 20).await;
        let mut book = Book::default();
        fill(&estate, &mut book, 0, 1, 20).await;
        let found = book.read_back(&held(&estate, 0).await);
        assert_eq!((found.lost, found.duplicated), (lost, duplicated), "{how}");
        let read = Call {
            what: What::Read,
            ..plain(1)
        };
        let stale = estate.call(0, 0, &read).await?.sequence < book.0.last().map(|e| e.sequence);
        // The twentieth was dropped, so a read of the newest is stale there, too.
        assert_eq!(
            stale,
            ["drops-writes", "stale-reads"].contains(&how),
            "{how}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_standby_may_only_say_that_it_was_promoted() -> Result<(), Trouble> {
    let more = "    stand_in: {promote: 4s, misbehaves: [never-promotes, never-steps-down]}\n";
    let estate = estate(&pair(ASYNC, more), 20).await;
    let before = Instant::now();
    estate.replica(0, 1).promote().await?;
    assert!(before.elapsed() >= Duration::from_millis(200));
    assert!(estate.call(0, 1, &write(1, 1)).await.is_err());
    let way: Way = estate.way(0, 1);
    estate.replica(0, 0).follow(way, Rejoin::Rewind).await?;
    estate.call(0, 0, &write(1, 1)).await?;
    Ok(())
}
