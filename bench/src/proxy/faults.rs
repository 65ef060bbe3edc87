//! How exact faults are: delays, rates, cuts and resets, seen from both ends.

use super::clock::{now, pause, since};
use super::load::{connect, idle, percentile, ping, settle};
use super::peers::{Peer, To};
use super::poll::Poll;
use super::upstream::Upstreams;
use anyhow::{Result, ensure};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

/// By how many ms the round trips of 50 connections exceed 100 ms of latency: p50 and p99.
pub(super) fn latency(peer: &Peer) -> Result<(f64, f64)> {
    const DELAY: f64 = 100e6;
    let attached = peer.attach(
        To::Echo,
        r#""type":"latency","stream":"downstream","attributes":{"latency":100}"#,
    )?;
    let apart = Duration::from_micros(1_900);
    let (trips, _) = ping(
        peer.address(To::Echo),
        50,
        Duration::from_millis(1_500),
        apart,
    )?;
    drop(attached);
    let over = |share| (percentile(&trips, share) - DELAY).abs() / 1e6;
    Ok((over(0.5), over(0.99)))
}

/// By how many ms messages sent every millisecond miss 10 ms of latency: p99.
pub(super) fn stream(peer: &Peer) -> Result<f64> {
    const DELAY: u64 = 10_000_000;
    const MESSAGES: u64 = 1_500;
    let attached = peer.attach(
        To::Echo,
        r#""type":"latency","stream":"downstream","attributes":{"latency":10}"#,
    )?;
    let client = connect(peer.address(To::Echo))?;
    let mut misses = thread::scope(|scope| -> Result<Vec<u64>> {
        let mut sender = client.try_clone()?;
        scope.spawn(move || {
            for _ in 0..MESSAGES {
                let sent = now().to_le_bytes();
                if sender.write_all(&sent).is_err() {
                    return;
                }
                pause(Duration::from_millis(1));
            }
        });
        let mut reader = &client;
        let mut misses = Vec::new();
        for _ in 0..MESSAGES {
            let mut sent = [0; 8];
            reader.read_exact(&mut sent)?;
            let took = now().saturating_sub(u64::from_le_bytes(sent));
            misses.push(took.abs_diff(DELAY));
        }
        Ok(misses)
    })?;
    drop(attached);
    misses.sort_unstable();
    Ok(percentile(&misses, 0.99) / 1e6)
}

/// Of a bandwidth of `rate` KB/s: by how many per cent the rate is missed, and how much windows of
/// 20 ms vary (standard deviation over mean).
pub(super) fn bandwidth(peer: &Peer, upstreams: &Upstreams, rate: u32) -> Result<(f64, f64)> {
    const WINDOW: u64 = 20_000_000;
    let toxic = format!(r#""type":"bandwidth","stream":"upstream","attributes":{{"rate":{rate}}}"#);
    let attached = peer.attach(To::Sink, &toxic)?;
    let log = |value| {
        let mut log = upstreams
            .arrivals
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *log, value)
    };
    let client = connect(peer.address(To::Sink))?;
    let arrivals = thread::scope(|scope| -> Result<Vec<(u64, usize)>> {
        let mut sender = client.try_clone()?;
        scope.spawn(move || {
            let piece = vec![7; 64 << 10];
            while sender.write_all(&piece).is_ok() {}
        });
        pause(Duration::from_millis(400));
        log(Some(Vec::new()));
        pause(Duration::from_millis(2_400));
        let arrivals = log(None).unwrap_or_default();
        client.shutdown(std::net::Shutdown::Both)?;
        Ok(arrivals)
    })?;
    drop((client, attached));
    settle(upstreams);
    let (Some(first), Some(last)) = (arrivals.first(), arrivals.last()) else {
        return Ok((100.0, f64::INFINITY));
    };
    let bytes: usize = arrivals.iter().skip(1).map(|(_, len)| len).sum();
    let measured = bytes as f64 / ((last.0 - first.0) as f64 / 1e9);
    let error = (measured / (f64::from(rate) * 1e3) - 1.0).abs() * 100.0;
    // Whole windows only: the last is cut short.
    let mut windows = vec![0.0; ((last.0 - first.0) / WINDOW) as usize];
    for (at, len) in &arrivals {
        if let Some(window) = windows.get_mut(((at - first.0) / WINDOW) as usize) {
            *window += *len as f64;
        }
    }
    let mean = windows.iter().sum::<f64>() / windows.len() as f64;
    let spread =
        windows.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / windows.len() as f64;
    Ok((error, spread.sqrt() / mean))
}

/// Milliseconds from switching a proxy off until the last of 1,000 clients sees its end.
pub(super) fn cut(peer: &Peer) -> Result<f64> {
    let clients = idle(peer.address(To::Echo), 1_000)?;
    let begun = now();
    let result = thread::scope(|scope| {
        scope.spawn(|| peer.enable(To::Echo, false));
        ends(&clients, begun)
    });
    drop(clients);
    peer.enable(To::Echo, true)?;
    result
}

/// The same when a server closes 1,000 connections itself.
pub(super) fn cut_directly() -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address: SocketAddr = listener.local_addr()?;
    let mut pairs = Vec::new();
    for _ in 0..1_000 {
        let client = connect(address)?;
        pairs.push((client, listener.accept()?.0));
    }
    let (clients, servers): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let begun = now();
    thread::scope(|scope| {
        scope.spawn(move || drop(servers));
        ends(&clients, begun)
    })
}

/// Milliseconds until each of these has something to read, which is its end.
fn ends(clients: &[TcpStream], begun: u64) -> Result<f64> {
    let poll = Poll::new()?;
    for client in clients {
        poll.add_once(client.as_fd(), 0)?;
    }
    let mut left = clients.len();
    while left > 0 {
        let over = poll.wait(Some(5_000_000_000)).len();
        ensure!(over > 0, "{left} connections are not cut");
        left -= over;
    }
    Ok(since(begun) * 1e3)
}

/// How many of 1,000 connections that were open before see `reset_peer` as a reset.
pub(super) fn resets(peer: &Peer) -> Result<f64> {
    let clients = idle(peer.address(To::Echo), 1_000)?;
    let attached = peer.attach(
        To::Echo,
        r#""type":"reset_peer","stream":"downstream","attributes":{"timeout":0}"#,
    )?;
    pause(Duration::from_millis(500));
    let mut resets = 0;
    for client in &clients {
        client.set_nonblocking(true)?;
        let mut client = client;
        if matches!(client.read(&mut [0]), Err(error) if error.kind() == ErrorKind::ConnectionReset)
        {
            resets += 1;
        }
    }
    drop((attached, clients));
    Ok(f64::from(resets))
}
