//! A network in memory, for rehearsals in virtual time: the same flows, the same wire faults, the
//! same stand-ins, and no socket whose readiness a paused clock would not wait for.
//!
//! A flow's pipes are those of the proxy (`assize_fault::Pipe`); what moves the bytes is a task.

use assize_control::wire::{Door, FlowFaults};
use assize_fault::{Begun, Direction, FaultId, Item, Nanos, Order, Origin, Pipe};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{
    AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf, duplex, split,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// Bytes that a connection holds in each direction before its writer waits.
const BUFFER: usize = 256 << 10;

/// Connections to be accepted.
pub(crate) type Incoming = mpsc::UnboundedReceiver<DuplexStream>;

thread_local! {
    /// A rehearsal is one thread, and this is its network.
    static HERE: RefCell<Option<Arc<Air>>> = const { RefCell::new(None) };
}

/// The network of the rehearsal that this thread is in.
pub(crate) fn here() -> Option<Arc<Air>> {
    HERE.with_borrow(Clone::clone)
}

/// Where a machine answers of which nothing is asked but whether it is there.
pub(crate) fn machine() -> SocketAddr {
    let Some(air) = here() else {
        return SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    };
    let address = air.address();
    let mut incoming = air.listen(address);
    tokio::spawn(async move {
        while let Some(mut client) = incoming.recv().await {
            tokio::spawn(async move {
                let mut buffer = [0; 256];
                while let Ok(n @ 1..) = client.read(&mut buffer).await {
                    if client.write_all(&buffer[..n]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// Who is in a rehearsal; it ends with this.
#[derive(Debug)]
pub(crate) struct Stay(());

impl Drop for Stay {
    fn drop(&mut self) {
        HERE.set(None);
    }
}

/// The network.
#[derive(Debug)]
pub(crate) struct Air {
    seed: u64,
    start: Instant,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    /// Addresses given out.
    count: u32,
    listeners: BTreeMap<SocketAddr, mpsc::UnboundedSender<DuplexStream>>,
    flows: BTreeMap<SocketAddr, Arc<Carrier>>,
}

/// What stands in the place of a flow's proxy.
#[derive(Debug)]
pub(crate) struct Carrier {
    name: String,
    upstream: SocketAddr,
    on: watch::Sender<FlowFaults>,
    connections: AtomicU64,
}

impl Air {
    /// Enters a rehearsal on this thread, in a runtime whose clock is paused.
    pub(crate) fn enter(seed: u64) -> Stay {
        let air = Self {
            seed,
            start: Instant::now(),
            places: Mutex::default(),
        };
        HERE.set(Some(Arc::new(air)));
        Stay(())
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An address that nobody else has.
    pub(crate) fn address(&self) -> SocketAddr {
        let mut places = self.places();
        places.count += 1;
        let [_, a, b, c] = places.count.to_be_bytes();
        SocketAddr::from((Ipv4Addr::new(127, a, b, c), 1))
    }

    /// Listens there, in the place of who did before.
    pub(crate) fn listen(&self, address: SocketAddr) -> Incoming {
        let (sender, incoming) = mpsc::unbounded_channel();
        self.places().listeners.insert(address, sender);
        incoming
    }

    /// A flow to `upstream`, and where it is entered.
    pub(crate) fn flow(
        &self,
        name: &str,
        upstream: SocketAddr,
        on: FlowFaults,
    ) -> (Arc<Carrier>, SocketAddr) {
        let address = self.address();
        let carrier = Arc::new(Carrier {
            name: name.to_string(),
            upstream,
            on: watch::Sender::new(on),
            connections: AtomicU64::new(0),
        });
        self.places().flows.insert(address, Arc::clone(&carrier));
        (carrier, address)
    }

    /// Connects over a flow, as its door permits.
    pub(crate) async fn connect(self: &Arc<Self>, via: SocketAddr) -> io::Result<DuplexStream> {
        let carrier = self.places().flows.get(&via).cloned();
        let Some(carrier) = carrier else {
            return self.dial(via);
        };
        let door = carrier.on.borrow().door;
        match door {
            Door::Open => {}
            Door::Refuse => return Err(io::ErrorKind::ConnectionRefused.into()),
            // A system tries again after a second of the wall; nobody here waits so long.
            Door::BlackHole => return std::future::pending().await,
        }
        let (client, near) = duplex(BUFFER);
        let connection = carrier.connections.fetch_add(1, Ordering::Relaxed);
        // As a proxy does: the client is in, and is let go if nobody is behind.
        if let Ok(far) = self.dial(carrier.upstream) {
            let air = Arc::clone(self);
            tokio::spawn(async move {
                Between::new(air, carrier, connection, near, far)
                    .carry()
                    .await
            });
        }
        Ok(client)
    }

    fn dial(&self, address: SocketAddr) -> io::Result<DuplexStream> {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let (near, far) = duplex(BUFFER);
        let places = self.places();
        let listener = places.listeners.get(&address).ok_or_else(refused)?;
        listener.send(far).map_err(|_| refused())?;
        Ok(near)
    }

    fn now(&self) -> Nanos {
        Nanos(i64::try_from(self.start.elapsed().as_nanos()).unwrap_or(i64::MAX))
    }
}

impl Carrier {
    /// Whether a connection is open over it.
    pub(crate) fn is_in_use(&self) -> bool {
        self.on.receiver_count() > 0
    }

    /// Puts this on the wire, for open connections as well.
    pub(crate) fn put(&self, on: FlowFaults) {
        self.on.send_replace(on);
    }
}

/// One connection over a flow.
struct Between {
    air: Arc<Air>,
    carrier: Arc<Carrier>,
    on: watch::Receiver<FlowFaults>,
    up: Way,
    down: Way,
}

/// One direction of it.
struct Way {
    from: ReadHalf<DuplexStream>,
    to: WriteHalf<DuplexStream>,
    pipe: Pipe,
    origin: Origin,
    ended: bool,
}

impl Between {
    fn new(
        air: Arc<Air>,
        carrier: Arc<Carrier>,
        connection: u64,
        near: DuplexStream,
        far: DuplexStream,
    ) -> Self {
        let ((near_in, near_out), (far_in, far_out)) = (split(near), split(far));
        let way = |direction, from, to| {
            let origin = Origin {
                seed: air.seed,
                connection,
                direction,
            };
            Way {
                from,
                to,
                pipe: Pipe::new(Order::Stream, Pipe::DEFAULT_BOUND, origin),
                origin,
                ended: false,
            }
        };
        Self {
            up: way(Direction::Upstream, near_in, far_out),
            down: way(Direction::Downstream, far_in, near_out),
            on: carrier.on.subscribe(),
            air,
            carrier,
        }
    }

    /// Carries bytes until either side, or a fault, ends the connection.
    async fn carry(mut self) {
        self.bring_in_line(Begun::BeforeOpen);
        let (mut out, mut back) = ([0; 16 << 10], [0; 16 << 10]);
        loop {
            if self.hand_on().await.is_none() {
                return;
            }
            let wake = self
                .up
                .pipe
                .next_wake()
                .into_iter()
                .chain(self.down.pipe.next_wake())
                .min();
            let due = wake.map(|at| {
                self.air.start + std::time::Duration::from_nanos(at.0.max(0).unsigned_abs())
            });
            let far = Instant::now() + std::time::Duration::from_secs(86_400);
            tokio::select! {
                biased;
                changed = self.on.changed() => {
                    if changed.is_err() || self.on.borrow().door == Door::Refuse {
                        return;
                    }
                    self.bring_in_line(Begun::Live);
                }
                read = self.up.from.read(&mut out), if self.up.takes() => self.up.came(self.air.now(), &out, read),
                read = self.down.from.read(&mut back), if self.down.takes() => self.down.came(self.air.now(), &back, read),
                () = sleep_until(due.unwrap_or(far)), if due.is_some() => {}
                else => return,
            }
        }
    }

    /// What is due leaves; `None` when the connection is over.
    async fn hand_on(&mut self) -> Option<()> {
        let now = self.air.now();
        for way in [&mut self.up, &mut self.down] {
            while let Some((_, item)) = way.pipe.poll(now) {
                match item {
                    Item::Data(data) => way.to.write_all(&data).await.ok()?,
                    // Whoever is gone needs no end.
                    Item::End => way.to.shutdown().await.unwrap_or_default(),
                    Item::Close | Item::Reset => return None,
                }
            }
        }
        Some(())
    }

    /// The pipes have the faults that are on the wire now.
    fn bring_in_line(&mut self, begun: Begun) {
        let now = self.air.now();
        let on = self.on.borrow_and_update().clone();
        for way in [&mut self.up, &mut self.down] {
            let id = |name: &str| FaultId::named(&self.carrier.name, name);
            let wanted: Vec<_> = on
                .faults
                .iter()
                .filter(|f| f.direction == way.origin.direction)
                .map(|f| (id(&f.name), f))
                .filter(|(id, f)| way.origin.is_touched(*id, f.share.as_f64()))
                .collect();
            let there: Vec<FaultId> = way.pipe.faults().collect();
            for gone in there.iter().filter(|t| !wanted.iter().any(|w| w.0 == **t)) {
                way.pipe.detach(now, *gone);
            }
            for (place, (id, fault)) in wanted.iter().enumerate() {
                if !way.pipe.change(now, *id, &fault.wire) {
                    way.pipe.attach(now, *id, place, &fault.wire, begun);
                }
            }
        }
    }
}

impl Way {
    fn takes(&self) -> bool {
        !self.ended && self.pipe.room() > 0
    }

    fn came(&mut self, now: Nanos, buffer: &[u8], read: io::Result<usize>) {
        match read {
            Ok(0) | Err(_) => {
                self.ended = true;
                self.pipe.input(now, Item::End);
            }
            Ok(n) => self
                .pipe
                .input(now, Item::Data(bytes::Bytes::copy_from_slice(&buffer[..n]))),
        }
    }
}
