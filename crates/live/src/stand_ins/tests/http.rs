//! The HTTP stand-in.

use super::{Estate, SOON, plain};
use crate::replica::{Call, Effect, Role, Trouble, Way};
use assize_fault::{Nanos, Ppb, Size};
use assize_model::binding::StandIn;
use assize_model::faults::How;
use assize_model::topology::{Probes, Rejoin};
use assize_proxy::Proxy;
use std::time::Duration;
use tokio::time::Instant;

const BRIEF: Duration = Duration::from_millis(150);

async fn estate(services: &str, pace: u32) -> Estate {
    Estate::start(services, StandIn::Http, pace).await
}

#[tokio::test]
async fn each_exchange_takes_its_service_time_at_the_pace() {
    let estate = estate("  web: {service_time: 200ms}\n", 10).await;
    let call = Call {
        round_trips: 5,
        sends: Size(5_000),
        receives: Size(70_000),
        ..plain(1)
    };
    let before = Instant::now();
    let answer = estate.call(0, 0, &call).await.expect("served");
    // 5 × 200 ms at pace 10.
    assert!(before.elapsed() >= Duration::from_millis(100));
    assert_eq!((answer.degraded, answer.replica), (false, Some(0)));
}

#[tokio::test]
async fn a_request_that_stands_for_many_takes_their_place() {
    // 100 a second at pace 10; a thousand are a second on the wall, and one of them waits as long
    // as its place among them.
    let estate = estate("  web: {capacity: 100/s, queue: {max: 1000}}\n", 10).await;
    let many = Call {
        weight: 1_000,
        ..plain(1)
    };
    let before = Instant::now();
    estate.call(0, 0, &many).await.expect("there is room");
    // Who comes next finds what is left of them in the queue.
    let full = Call {
        weight: 1_000_000,
        ..plain(2)
    };
    let refused = estate.call(0, 0, &full).await;
    assert!(matches!(refused, Err(Trouble::Answered(ref why)) if why.contains("full")));
    assert!(before.elapsed() < SOON);
    // 1,000 more units were taken with it at most, so a small one is served in time or refused.
    let half = Effect::Capacity(Ppb(0));
    estate
        .replica(0, 0)
        .apply(half, true)
        .await
        .expect("slower");
    let last = estate.call_within(0, 0, &plain(3), BRIEF).await;
    assert!(last.is_err(), "nothing works without capacity: {last:?}");
}

#[tokio::test]
async fn a_full_queue_that_drops_says_nothing() {
    let services = "  web: {capacity: 1/s, queue: {max: 1, when_full: drop}}\n";
    let estate = estate(services, 1).await;
    let many = Call {
        weight: 1_000_000,
        ..plain(1)
    };
    assert_eq!(estate.call_within(0, 0, &many, BRIEF).await, Err(None));
}

#[tokio::test]
async fn what_it_needs_is_really_asked() {
    let services = "  front: {needs: [back]}\n  back: {}\n";
    let estate = estate(services, 10).await;
    let front = estate.way(0, 0);
    estate.call(0, 0, &plain(1)).await.expect("served");
    let down = Effect::Down(How::Refuse);
    estate.replica(1, 0).apply(down, true).await.expect("down");
    assert!(matches!(
        estate.call(0, 0, &plain(1)).await,
        Err(Trouble::Answered(_))
    ));
    let seen = front.to.check(front.via, Probes::Service).await;
    assert!(matches!(seen, Err(Trouble::Answered(_))), "{seen:?}");
    assert_eq!(front.to.check(front.via, Probes::Host).await, Ok(()));
    front.to.apply(Effect::CheckLies, true).await.expect("lies");
    assert_eq!(front.to.check(front.via, Probes::Service).await, Ok(()));
    estate.replica(1, 0).apply(down, false).await.expect("up");
    estate.call(0, 0, &plain(1)).await.expect("served again");
}

#[tokio::test]
async fn what_can_be_done_without_costs_capacity_and_time_only_once() {
    let services = "  front: {needs: [{service: back, soft: 50%}]}\n  back: {}\n";
    let estate = estate(services, 10).await;
    assert_eq!(
        estate.call(0, 0, &plain(1)).await.map(|a| a.degraded),
        Ok(false)
    );
    let silent = Effect::NoAnswer(How::BlackHole);
    estate
        .replica(1, 0)
        .apply(silent, true)
        .await
        .expect("silent");
    for _ in 0..2 {
        assert_eq!(
            estate.call(0, 0, &plain(1)).await.map(|a| a.degraded),
            Ok(true)
        );
    }
    estate
        .replica(1, 0)
        .apply(silent, false)
        .await
        .expect("well");
    let again = async {
        while estate.call(0, 0, &plain(1)).await.map(|a| a.degraded) != Ok(false) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, again)
        .await
        .expect("whole again");
}

#[tokio::test]
async fn of_several_one_will_do() {
    let services = "  front: {needs: {any_of: [[one, two]]}}\n  one: {}\n  two: {}\n";
    let estate = estate(services, 10).await;
    let silent = Effect::Down(How::BlackHole);
    estate
        .replica(1, 0)
        .apply(silent, true)
        .await
        .expect("silent");
    estate
        .call(0, 0, &plain(1))
        .await
        .expect("the other will do");
    estate
        .replica(2, 0)
        .apply(silent, true)
        .await
        .expect("silent");
    assert_eq!(estate.call_within(0, 0, &plain(1), BRIEF).await, Err(None));
}

#[tokio::test]
async fn a_crash_resets_who_is_being_served() {
    let estate = estate("  web: {service_time: 1h}\n", 1).await;
    let call = plain(1);
    let served = estate.call(0, 0, &call);
    let crash = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let down = Effect::Down(How::Refuse);
        estate.replica(0, 0).apply(down, true).await
    };
    let (answer, applied) = tokio::join!(served, crash);
    assert_eq!(applied, Ok(()));
    assert!(matches!(answer, Err(Trouble::Refused(_))), "{answer:?}");
}

#[tokio::test]
async fn a_standby_serves_once_it_is_promoted_and_that_takes_its_time() {
    let services = "  web:
    mode: active-standby
    replicas: {a: {role: primary}, b: {role: standby}}
    failover: {promote: 2s, check: {every: 1s, timeout: 500ms}}\n";
    let estate = estate(services, 10).await;
    let (a, b) = (estate.way(0, 0), estate.way(0, 1));
    assert_eq!(b.to.check(b.via, Probes::Service).await, Ok(()));
    assert!(estate.call(0, 1, &plain(1)).await.is_err());
    b.to.apply(Effect::PromotionFails, true).await.expect("on");
    assert!(matches!(b.to.promote().await, Err(Trouble::Answered(_))));
    b.to.apply(Effect::PromotionFails, false)
        .await
        .expect("off");
    let before = Instant::now();
    assert_eq!(b.to.promote().await, Ok(()));
    assert!(before.elapsed() >= Duration::from_millis(200));
    estate.call(0, 1, &plain(1)).await.expect("promoted");
    // The old one knows of nothing until it is told.
    estate.call(0, 0, &plain(1)).await.expect("two of them");
    let way = Way { ..b.clone() };
    a.to.follow(way, Rejoin::Rewind).await.expect("told");
    assert!(estate.call(0, 0, &plain(1)).await.is_err());
    assert_eq!(a.to.role(a.via).await, Ok(Role::Standby));
    assert_eq!(b.to.role(b.via).await, Ok(Role::Primary));
}

#[tokio::test]
async fn errors_slowness_and_a_shard_are_what_they_say() {
    let services = "  web: {mode: sharded, shards: 2, replicas: {a: {}, b: {}}}\n";
    let estate = estate(services, 10).await;
    let web = estate.replica(0, 0);
    web.apply(Effect::Shard(1), true).await.expect("on");
    let mut refused = 0;
    for cohort in 0..64 {
        let call = Call { cohort, ..plain(1) };
        refused += u32::from(estate.call(0, 0, &call).await.is_err());
    }
    assert_eq!(refused, 32);
    web.apply(Effect::Shard(1), false).await.expect("off");
    web.apply(Effect::Errors(Ppb(500_000_000)), true)
        .await
        .expect("on");
    let mut errors = 0;
    for _ in 0..200 {
        errors += u32::from(estate.call(0, 0, &plain(1)).await.is_err());
    }
    // 100 are expected; the draws follow from the seed.
    assert!((70..=130).contains(&errors), "{errors}");
    web.apply(Effect::Errors(Ppb(500_000_000)), false)
        .await
        .expect("off");
    web.apply(Effect::Slow(Nanos::secs(2)), true)
        .await
        .expect("on");
    let before = Instant::now();
    estate.call(0, 0, &plain(1)).await.expect("slow");
    assert!(before.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn who_gives_up_is_not_served_on() {
    // The front's client gives up while the back says nothing: the front's own question ends too.
    let services = "  front: {needs: [back]}\n  back: {service_time: 1h}\n";
    let estate = estate(services, 1).await;
    let proxy = Proxy::tcp("127.0.0.1:0").upstream(estate.replica(1, 0).upstream());
    let proxy = proxy.start().expect("a proxy");
    estate.reroute(1, 0, proxy.addr());
    assert_eq!(estate.call_within(0, 0, &plain(1), BRIEF).await, Err(None));
    assert_eq!(proxy.counters().accepted, 1);
    let connections = async {
        while !proxy.connections().expect("a list").is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, connections)
        .await
        .expect("nobody asks any more");
}
