//! Loads: bulk, small exchanges, new connections, idle ones. Each is bounded in time.

use super::clock::{now, pause, since};
use super::poll::Poll;
use super::upstream::Upstreams;
use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// So long an answer may take before the load is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// The size of a small message, in bytes.
const MESSAGE: usize = 64;

/// A connection that never waits for ever.
pub(super) fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Bytes per second that arrive of so many connections that send all they can, in the last of the
/// `lasts`, after `warm`; and the seconds of processor time that `cpu` reports, per GB.
pub(super) fn bulk(
    address: SocketAddr,
    upstreams: &Upstreams,
    connections: usize,
    (warm, lasts): (Duration, Duration),
    cpu: impl Fn() -> f64,
) -> Result<(f64, f64)> {
    let streams: Vec<TcpStream> = (0..connections)
        .map(|_| connect(address))
        .collect::<Result<_>>()?;
    let stop = AtomicBool::new(false);
    let measured = thread::scope(|scope| {
        for mut stream in streams {
            let stop = &stop;
            scope.spawn(move || {
                let piece = vec![7; 256 << 10];
                while !stop.load(Relaxed) && stream.write_all(&piece).is_ok() {}
            });
        }
        pause(warm);
        let (begun, sunk, used) = (now(), upstreams.sunk.load(Relaxed), cpu());
        pause(lasts);
        let (took, bytes) = (since(begun), upstreams.sunk.load(Relaxed) - sunk);
        let used = cpu() - used;
        stop.store(true, Relaxed);
        (bytes as f64 / took, used / (bytes as f64 / 1e9))
    });
    settle(upstreams);
    Ok(measured)
}

/// Waits until what is still on its way has arrived: it must not disturb what is measured next.
pub(super) fn settle(upstreams: &Upstreams) {
    let mut before = upstreams.sunk.load(Relaxed);
    for _ in 0..100 {
        pause(Duration::from_millis(30));
        let after = upstreams.sunk.load(Relaxed);
        if after == before {
            return;
        }
        before = after;
    }
}

/// Round trips in nanoseconds, in order of size, of so many connections that each have one
/// message on its way at a time; and how long it all took in seconds. The first messages are sent
/// `apart`, so that under a delay not all come due at once.
pub(super) fn ping(
    address: SocketAddr,
    connections: usize,
    lasts: Duration,
    apart: Duration,
) -> Result<(Vec<u64>, f64)> {
    let poll = Poll::new()?;
    let mut streams = Vec::new();
    for token in 0..connections {
        let mut stream = connect(address)?;
        // Once there and back, so that connecting is no part of it.
        stream.write_all(&[1; MESSAGE])?;
        stream.read_exact(&mut [0; MESSAGE])?;
        poll.add(stream.as_fd(), token as u64)?;
        streams.push((stream, 0));
    }
    let begun = now();
    let end = begun + lasts.as_nanos() as u64;
    for (stream, sent) in &mut streams {
        pause(apart);
        *sent = now();
        stream.write_all(&[1; MESSAGE])?;
    }
    let mut trips = Vec::new();
    let mut open = connections;
    let mut buffer = [0; MESSAGE];
    while open > 0 {
        let ready = poll.wait(Some(PATIENCE.as_nanos() as u64));
        ensure!(!ready.is_empty(), "an answer does not come");
        for token in ready {
            let (stream, sent) = streams.get_mut(token as usize).context("no such stream")?;
            stream.read_exact(&mut buffer)?;
            let at = now();
            trips.push(at - *sent);
            if at < end {
                *sent = at;
                stream.write_all(&buffer)?;
            } else {
                open -= 1;
            }
        }
    }
    let took = since(begun);
    trips.sort_unstable();
    Ok((trips, took))
}

/// Of values in order of size, the one that this share does not exceed.
pub(super) fn percentile(sorted: &[u64], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share) as usize;
    sorted
        .get(place.min(sorted.len().saturating_sub(1)))
        .map_or(0.0, |value| *value as f64)
}

/// Connections per second: connect, one message there and back, close, by so many at a time.
pub(super) fn connections(address: SocketAddr, at_once: usize, lasts: Duration) -> Result<f64> {
    let begun = now();
    let end = begun + lasts.as_nanos() as u64;
    let one = || -> Result<()> {
        let mut stream = connect(address)?;
        stream.write_all(b"x")?;
        stream.read_exact(&mut [0])?;
        Ok(())
    };
    let made: Vec<Result<u64>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..at_once)
            .map(|_| {
                scope.spawn(|| {
                    let mut made = 0;
                    while now() < end {
                        one()?;
                        made += 1;
                    }
                    Ok(made)
                })
            })
            .collect();
        let joined = clients.into_iter().map(|client| client.join());
        joined.map(|made| made.unwrap_or(Ok(0))).collect()
    });
    let made: u64 = made.into_iter().sum::<Result<u64>>()?;
    Ok(made as f64 / since(begun))
}

/// So many connections that have each sent and got one message, and are idle since.
pub(super) fn idle(address: SocketAddr, connections: usize) -> Result<Vec<TcpStream>> {
    (0..connections)
        .map(|_| {
            let mut stream = connect(address)?;
            stream.write_all(b"x")?;
            stream.read_exact(&mut [0])?;
            Ok(stream)
        })
        .collect()
}
