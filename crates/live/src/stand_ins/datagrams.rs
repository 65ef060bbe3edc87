//! The listening side of a stand-in over UDP, and how its clients ask: one datagram each way.
//!
//! A proxy cannot pass on that a port is closed (ICMP). While a stand-in refuses, it answers with
//! an empty datagram instead, which no protocol uses; clients take it for what it stands for.

use super::embedded::Entrance;
use crate::replica::{Later, Transport, Trouble};
use assize_model::faults::How;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

/// The longest datagram of these protocols.
const LONGEST: usize = 4096;
/// Datagrams that are being answered; more are dropped.
const MOST: usize = 4096;

/// Answers a datagram, or does not.
pub(super) type Answer = Arc<dyn Fn(Vec<u8>) -> Later<'static, Option<Vec<u8>>> + Send + Sync>;

/// A socket. It closes when it is dropped.
#[derive(Debug)]
pub(super) struct Port {
    address: SocketAddr,
    down: watch::Sender<Option<How>>,
    task: JoinHandle<()>,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Port {
    /// Opens on a free port of 127.0.0.1.
    pub(super) async fn open(answer: Answer) -> Result<Self, Trouble> {
        #[cfg(feature = "rehearsal")]
        if crate::air::here().is_some() {
            return Err(Trouble::Unsupported(
                "a rehearsal carries no datagrams".into(),
            ));
        }
        let socket = Arc::new(bound().await?);
        let address = socket.local_addr().map_err(no_socket)?;
        let (down, state) = watch::channel(None);
        Ok(Self {
            address,
            down,
            task: tokio::spawn(keep(socket, state, answer)),
        })
    }
}

async fn bound() -> Result<UdpSocket, Trouble> {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(no_socket)
}

fn no_socket(error: std::io::Error) -> Trouble {
    Trouble::Harness(format!("no socket for datagrams: {error}"))
}

async fn keep(socket: Arc<UdpSocket>, down: watch::Receiver<Option<How>>, answer: Answer) {
    let places = Arc::new(Semaphore::new(MOST));
    let mut buffer = vec![0; LONGEST];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            // An error of an earlier answer, whose client is gone.
            continue;
        };
        let how = *down.borrow();
        match how {
            Some(How::BlackHole) => continue,
            Some(How::Refuse) => {
                // A lost refusal is silence.
                let _ = socket.try_send_to(&[], from);
                continue;
            }
            None => {}
        }
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let (socket, mut down) = (Arc::clone(&socket), down.clone());
        let answered = answer(buffer[..length].to_vec());
        tokio::spawn(async move {
            let crash = async move { down.wait_for(Option::is_some).await.is_ok() };
            tokio::select! {
                // It takes with it what is under way.
                _ = crash => {}
                answer = answered => if let Some(answer) = answer {
                    // A lost answer is silence.
                    let _ = socket.send_to(&answer, from).await;
                }
            }
            drop(place);
        });
    }
}

impl Entrance for Port {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn transport(&self) -> Transport {
        Transport::Udp
    }

    fn set_down(&self, how: Option<How>) -> Later<'_, ()> {
        self.down.send_replace(how);
        Box::pin(async {})
    }
}

/// Sends a datagram, and again every so often until an answer comes that `is_mine`.
pub(super) async fn ask<T>(
    via: SocketAddr,
    datagram: &[u8],
    again: Duration,
    is_mine: impl Fn(&[u8]) -> Option<T>,
) -> Result<T, Trouble> {
    let socket = bound().await?;
    let refused = |e: std::io::Error| Trouble::Refused(format!("{via}: {e}"));
    socket.connect(via).await.map_err(refused)?;
    let mut buffer = vec![0; LONGEST];
    loop {
        socket.send(datagram).await.map_err(refused)?;
        let pause = tokio::time::sleep(again);
        tokio::pin!(pause);
        loop {
            let length = tokio::select! {
                () = &mut pause => break,
                received = socket.recv(&mut buffer) => received.map_err(refused)?,
            };
            if length == 0 {
                return Err(Trouble::Refused(format!("{via}: nobody listens")));
            }
            if let Some(answer) = is_mine(&buffer[..length]) {
                return Ok(answer);
            }
        }
    }
}
