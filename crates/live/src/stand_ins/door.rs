//! The listening side of a stand-in over TCP: open, refusing, or silent, as a crash makes it.
//!
//! Its port stays its own while it refuses. What is said over a connection is not its affair.

use super::line::Line;
use crate::net::{Listener, Reserved, Socket};
use crate::replica::{Later, Trouble};
use assize_model::faults::How;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::watch;

/// The most connections at once; more are closed as they come.
const MOST: usize = 4096;

/// What is done with a connection.
pub(super) type Handler = Arc<dyn Fn(Line) -> Later<'static, ()> + Send + Sync>;

/// A listener. It closes, and resets its connections, when it is dropped.
#[derive(Debug)]
pub(super) struct Door {
    address: SocketAddr,
    down: watch::Sender<Option<How>>,
    /// What the listener has come to.
    is: watch::Receiver<Option<How>>,
}

impl Door {
    /// Opens on a free port of 127.0.0.1.
    pub(super) fn open(handler: Handler) -> Result<Self, Trouble> {
        let place = Reserved::new().map_err(no_socket)?;
        let address = place.address();
        let listener = place.listen().map_err(no_socket)?;
        let (down, state) = watch::channel(None);
        let (told, is) = watch::channel(None);
        tokio::spawn(keep(place, listener, state, told, handler));
        Ok(Self { address, down, is })
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Crashes, in this manner, or comes back; it has when this returns.
    pub(super) async fn set_down(&self, how: Option<How>) {
        self.down.send_if_modified(|now| {
            let changed = *now != how;
            *now = how;
            changed
        });
        let mut is = self.is.clone();
        // It ends only with the listener, and then there is nothing to wait for.
        let _ = is
            .wait_for(|is| *is == how || *self.down.borrow() != how)
            .await;
    }
}

fn no_socket(error: io::Error) -> Trouble {
    Trouble::Harness(format!("a stand-in cannot listen: {error}"))
}

/// Accepts until the door is dropped.
async fn keep(
    place: Reserved,
    first: Listener,
    mut down: watch::Receiver<Option<How>>,
    is: watch::Sender<Option<How>>,
    handler: Handler,
) {
    let count = Arc::new(AtomicUsize::new(0));
    let mut listener = Some(first);
    loop {
        let now = *down.borrow_and_update();
        if now == Some(How::Refuse) {
            listener = None;
            is.send_replace(now);
            if down.changed().await.is_err() {
                return;
            }
            continue;
        }
        if listener.is_some() {
            is.send_replace(now);
        }
        let Some(open) = &mut listener else {
            // The port is reserved, so this fails only when the machine is out of something.
            listener = place.listen().ok();
            if listener.is_none() {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            continue;
        };
        tokio::select! {
            accepted = open.accept() => match accepted {
                Ok(stream) if count.load(Ordering::Relaxed) < MOST => {
                    let taken = Place::take(&count);
                    tokio::spawn(hold(stream, down.clone(), Arc::clone(&handler), taken));
                }
                Ok(_) => {}
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            },
            changed = down.changed() => if changed.is_err() { return },
        }
    }
}

/// Serves one connection while the door is open. One that was there at a crash, or came while all
/// was silent, is reset when that is over: its other end has long been forgotten here.
async fn hold(
    stream: Socket,
    mut down: watch::Receiver<Option<How>>,
    handler: Handler,
    _place: Place,
) {
    let (line, reset) = Line::new(stream);
    let mut served = handler(line);
    let mut state = *down.borrow_and_update();
    if state.is_none() {
        tokio::select! {
            () = &mut served => return,
            _ = down.changed() => state = *down.borrow_and_update(),
        }
    }
    if state == Some(How::BlackHole) {
        let _ = down.changed().await;
    }
    reset.store(true, Ordering::Relaxed);
    drop(served);
}

/// A connection's part of the bound.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_secs(10);

    fn echo() -> Handler {
        Arc::new(|mut line: Line| {
            Box::pin(async move {
                let mut byte = [0];
                while line.read_exact(&mut byte).await.is_ok() {
                    if line.write_all(&byte).await.is_err() {
                        return;
                    }
                }
            })
        })
    }

    async fn ping(stream: &mut TcpStream) -> io::Result<u8> {
        stream.write_all(b"x").await?;
        stream.read_u8().await
    }

    #[tokio::test]
    async fn a_crash_resets_and_refuses_and_the_port_stays() -> Result<(), Trouble> {
        let door = Door::open(echo())?;
        let mut client = TcpStream::connect(door.address()).await.expect("open");
        assert_eq!(ping(&mut client).await.ok(), Some(b'x'));
        door.set_down(Some(How::Refuse)).await;
        let end = timeout(SOON, client.read_u8()).await.expect("not silent");
        assert_eq!(
            end.expect_err("reset").kind(),
            io::ErrorKind::ConnectionReset
        );
        assert!(TcpStream::connect(door.address()).await.is_err());
        door.set_down(None).await;
        let mut client = TcpStream::connect(door.address()).await.expect("open");
        assert_eq!(ping(&mut client).await.ok(), Some(b'x'));
        Ok(())
    }

    #[tokio::test]
    async fn a_silent_crash_answers_nobody_until_it_is_over() -> Result<(), Trouble> {
        let door = Door::open(echo())?;
        let mut old = TcpStream::connect(door.address()).await.expect("open");
        assert!(ping(&mut old).await.is_ok());
        door.set_down(Some(How::BlackHole)).await;
        let mut new = TcpStream::connect(door.address()).await.expect("silent");
        for client in [&mut old, &mut new] {
            let answer = timeout(Duration::from_millis(100), ping(client)).await;
            assert!(answer.is_err(), "an answer from the dead: {answer:?}");
        }
        door.set_down(None).await;
        assert!(timeout(SOON, old.read_u8()).await.expect("over").is_err());
        Ok(())
    }
}
