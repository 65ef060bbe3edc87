//! The stand-ins over UDP: sign-in and names.

use super::{Estate, SOON, plain};
use crate::replica::{Call, Effect, Transport, Trouble, What};
use assize_fault::Ppb;
use assize_model::ServiceId;
use assize_model::binding::StandIn;
use assize_model::faults::How;
use assize_model::topology::Probes;
use assize_proxy::Proxy;
use std::time::Duration;
use tokio::time::Instant;

const BRIEF: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_sign_in_needs_what_it_needs() -> Result<(), Trouble> {
    let services = "  radius: {needs: [ocsp], service_time: 100ms}\n  ocsp: {}\n";
    let estate = Estate::start(services, StandIn::Radius, 10).await;
    let radius = estate.way(0, 0);
    assert_eq!(radius.to.transport(), Transport::Udp);
    let call = Call {
        round_trips: 4,
        ..plain(1)
    };
    let before = Instant::now();
    assert_eq!(estate.call(0, 0, &call).await?.replica, Some(0));
    // Three challenges and an acceptance, 10 ms each on the wall.
    assert!(before.elapsed() >= Duration::from_millis(40));
    let down = Effect::Down(How::Refuse);
    estate.replica(1, 0).apply(down, true).await?;
    let rejected = estate.call(0, 0, &call).await;
    assert!(
        matches!(rejected, Err(Trouble::Answered(_))),
        "{rejected:?}"
    );
    let check = radius.to.check(radius.via, Probes::Service).await;
    assert!(matches!(check, Err(Trouble::Answered(_))), "{check:?}");
    assert_eq!(radius.to.check(radius.via, Probes::Host).await, Ok(()));
    estate.replica(1, 0).apply(down, false).await?;
    assert!(radius.to.check(radius.via, Probes::Service).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn a_crash_is_told_or_is_silent_also_through_a_proxy() -> Result<(), Trouble> {
    for kind in [StandIn::Radius, StandIn::Dns] {
        let estate = Estate::start("  it: {}\n", kind, 10).await;
        let replica = estate.replica(0, 0);
        let proxy = Proxy::udp("127.0.0.1:0").upstream(replica.upstream());
        let proxy = proxy.start().expect("a proxy");
        estate.reroute(0, 0, proxy.addr());
        estate.call(0, 0, &plain(1)).await?;
        replica.apply(Effect::Down(How::Refuse), true).await?;
        let refused = estate.call(0, 0, &plain(2)).await;
        assert!(matches!(refused, Err(Trouble::Refused(_))), "{refused:?}");
        replica.apply(Effect::Down(How::Refuse), false).await?;
        replica.apply(Effect::Down(How::BlackHole), true).await?;
        let silent = estate.call_within(0, 0, &plain(3), BRIEF).await;
        assert_eq!(silent, Err(None));
        // A client that is still waiting is served once it is over.
        let call = plain(4);
        let waiting = estate.call(0, 0, &call);
        let over = async {
            tokio::time::sleep(BRIEF / 4).await;
            replica.apply(Effect::Down(How::BlackHole), false).await
        };
        let (answer, over) = tokio::join!(waiting, over);
        assert!(answer.is_ok() && over.is_ok(), "{answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn names_lead_where_the_zone_says() -> Result<(), Trouble> {
    let services = "  dns: {}\n  db: {replicas: [a, b]}\n";
    let estate = Estate::start(services, StandIn::Dns, 10).await;
    let lookup = |cohort| Call {
        cohort,
        what: What::Lookup(ServiceId::from(1)),
        ..plain(1)
    };
    assert_eq!(estate.call(0, 0, &lookup(3)).await?.replica, Some(0));
    let mut moved = [0; 64];
    moved[3] = 1;
    estate.zone.redirect(ServiceId::from(1), moved);
    assert_eq!(estate.call(0, 0, &lookup(3)).await?.replica, Some(1));
    assert_eq!(estate.call(0, 0, &lookup(4)).await?.replica, Some(0));
    let dns = estate.replica(0, 0);
    dns.apply(Effect::Errors(Ppb::ONE), true).await?;
    let failed = estate.call(0, 0, &lookup(3)).await;
    assert_eq!(failed, Err(Trouble::Answered("ServerFailure".into())));
    dns.apply(Effect::Errors(Ppb::ONE), false).await?;
    dns.apply(Effect::NoAnswer(How::BlackHole), true).await?;
    let silent = estate.call_within(0, 0, &lookup(3), BRIEF).await;
    assert_eq!(silent, Err(None));
    let way = estate.way(0, 0);
    let check = tokio::time::timeout(SOON, dns.check(way.via, Probes::Host));
    assert_eq!(check.await.ok(), Some(Ok(())));
    Ok(())
}
