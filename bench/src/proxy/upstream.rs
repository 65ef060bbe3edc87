//! The servers behind the proxies, in this process: an echo on one thread for any number of
//! connections, and a sink with a thread for each connection that counts what arrives, and when.

use super::clock::now;
use super::peers::To;
use super::poll::Poll;
use anyhow::Result;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// When how many bytes arrived at the sink, while somebody wants to know.
type Log = Option<Vec<(u64, usize)>>;

/// Both servers.
pub(super) struct Upstreams {
    echo: SocketAddr,
    sink: SocketAddr,
    /// Bytes that arrived at the sink.
    pub(super) sunk: Arc<AtomicU64>,
    /// When how many bytes arrived at the sink, while somebody wants to know.
    pub(super) arrivals: Arc<Mutex<Log>>,
}

impl Upstreams {
    /// Starts them.
    pub(super) fn start() -> Result<Self> {
        let sunk = Arc::new(AtomicU64::new(0));
        let arrivals = Arc::new(Mutex::new(None));
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let sink = listener.local_addr()?;
        let (counter, log) = (Arc::clone(&sunk), Arc::clone(&arrivals));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (counter, log) = (Arc::clone(&counter), Arc::clone(&log));
                thread::spawn(move || swallow(stream, &counter, &log));
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let echo = listener.local_addr()?;
        thread::spawn(move || echo_all(&listener));
        Ok(Self {
            echo,
            sink,
            sunk,
            arrivals,
        })
    }

    pub(super) const fn address(&self, to: To) -> SocketAddr {
        match to {
            To::Echo => self.echo,
            To::Sink => self.sink,
        }
    }
}

fn swallow(mut stream: TcpStream, counter: &AtomicU64, log: &Mutex<Log>) {
    let mut buffer = vec![0; 256 << 10];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        counter.fetch_add(read as u64, Relaxed);
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = log.as_mut() {
            log.push((now(), read));
        }
    }
}

/// Sends back to every client what it sends.
fn echo_all(listener: &TcpListener) {
    const LISTENER: u64 = u64::MAX;
    let Ok(poll) = Poll::new() else {
        return;
    };
    let mut clients: Vec<Option<TcpStream>> = Vec::new();
    let mut free = Vec::new();
    let mut buffer = [0; 4096];
    if listener.set_nonblocking(true).is_err() || poll.add(listener.as_fd(), LISTENER).is_err() {
        return;
    }
    loop {
        for token in poll.wait(None) {
            if token == LISTENER {
                while let Ok((stream, _)) = listener.accept() {
                    let place = free.pop().unwrap_or(clients.len());
                    let is_ready = stream.set_nonblocking(true).is_ok()
                        && stream.set_nodelay(true).is_ok()
                        && poll.add(stream.as_fd(), place as u64).is_ok();
                    if place == clients.len() {
                        clients.push(None);
                    }
                    if is_ready {
                        clients[place] = Some(stream);
                    } else {
                        free.push(place);
                    }
                }
                continue;
            }
            let place = token as usize;
            let Some(client) = clients.get_mut(place).and_then(Option::as_mut) else {
                continue;
            };
            let is_over = match client.read(&mut buffer) {
                Ok(0) => true,
                Ok(read) => client.write_all(&buffer[..read]).is_err(),
                Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
            };
            if is_over {
                clients[place] = None;
                free.push(place);
            }
        }
    }
}
